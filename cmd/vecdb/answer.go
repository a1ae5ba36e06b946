package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/chat"
	"github.com/vecdb/vecdb/query"
)

// answerFlags are the flags of answer.
type answerFlags struct {
	limit         int
	filters       []string
	exclude       []string
	before        []string
	set           []string
	minConfidence float64
	field         string
	generate      bool
}

func (a *app) answerCommand() *cobra.Command {
	var o answerFlags
	cmd := &cobra.Command{
		Use:   "answer QUESTION…",
		Short: "Answer a question from the answers in the documents",
		Long: `Answer a question from documents that hold answers: a question in the text and
the answer in the field "answer". Documents with the same answer, or with the id
of the document that has it in the field "answer_id", are variants of one
question. Placeholders such as {{order_id}} are filled in from --set and from the
fields of the document. When no answer is sure enough, the passages that a search
finds are shown instead. Say with vecdb feedback whether an answer was right.`,
		Example: `  vecdb add faq.csv -c faq
  vecdb answer -c faq "how do I get a new card?"
  vecdb answer -c faq --set order_id=1042 "where is my order?"
  vecdb answer -c faq --before "how long does delivery take?" "and abroad?"
  vecdb answer -c faq --generate --chat-url http://127.0.0.1:11434/v1 --chat-model llama3 "can I pay later?"`,
		Args: atLeast(1, "a question"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := o.request(cmd)
			if err != nil {
				return err
			}
			r.Text = strings.Join(args, " ")
			return a.with(reads, func(s *session) error { return a.answerQuestion(cmd.Context(), s, r) })
		},
	}
	f := cmd.Flags()
	f.IntVarP(&o.limit, "limit", "n", query.DefaultAnswers, "how many alternatives and passages")
	f.StringArrayVarP(&o.filters, "filter", "f", nil, filterHelp)
	f.StringArrayVar(&o.exclude, "exclude", nil, "id of a document to leave out; repeatable")
	f.StringArrayVar(&o.before, "before", nil, "what the customer said before, the first first; repeatable")
	f.StringArrayVar(&o.set, "set", nil, "value of a placeholder as name=value; repeatable")
	f.Float64Var(&o.minConfidence, "min-confidence", query.DefaultMinConfidence, "give no answer that is less sure, from 0 to 1")
	f.StringVar(&o.field, "answer-field", "", "field that holds the answers (default answer)")
	f.BoolVar(&o.generate, "generate", false, "let a chat model write the answer, see --chat-url")
	a.chatFlags(cmd)
	return cmd
}

func (o *answerFlags) request(cmd *cobra.Command) (query.AnswerRequest, error) {
	filter, err := parseFilters(o.filters)
	if err != nil {
		return query.AnswerRequest{}, err
	}
	r := query.AnswerRequest{Request: query.Request{Limit: o.limit, Filter: filter, Exclude: o.exclude}, AnswerField: o.field, Generate: o.generate}
	if o.limit < 1 || o.limit > query.MaxAnswers {
		return r, usage("--limit must be from 1 to %d", query.MaxAnswers)
	}
	if cmd.Flags().Changed("min-confidence") {
		r.MinConfidence = &o.minConfidence
	}
	for _, text := range o.before {
		r.Messages = append(r.Messages, query.Message{Role: query.RoleUser, Content: text})
	}
	for _, pair := range o.set {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return r, usage("--set needs name=value, for instance --set order_id=1042")
		}
		if r.Values == nil {
			r.Values = make(map[string]any)
		}
		r.Values[name] = value
	}
	return r, nil
}

func (a *app) answerQuestion(ctx context.Context, s *session, r query.AnswerRequest) error {
	response, err := s.Answer(ctx, a.collection, r)
	if err != nil {
		return err
	}
	if a.forScripts() {
		return a.printJSON(response)
	}
	a.warn(response.Warnings)
	a.renderAnswer(response, r)
	a.renderTook("answered", response.Took)
	return nil
}

func (a *app) renderAnswer(response query.AnswerResponse, r query.AnswerRequest) {
	st := a.outStyle()
	if g := response.Generated; g != nil && g.Error != "" {
		a.note("nothing was generated: %s", g.Error)
	} else if g != nil {
		fmt.Fprintf(a.out, "%s\n%s\n\n", st.bold(g.Text), st.dim("written by "+g.Model+" from what follows"))
	}
	if hit := response.Answer; hit != nil {
		fmt.Fprintln(a.out, st.bold(hit.Answer))
		a.renderTable(nil, [][]string{answerRow(st, *hit)})
		if len(hit.Missing) > 0 {
			a.note("%s", st.warn("no value for "+strings.Join(hit.Missing, ", ")+"; give it with --set "+hit.Missing[0]+"=…"))
		}
	} else if response.Generated == nil || response.Generated.Error != "" {
		least := query.DefaultMinConfidence
		if r.MinConfidence != nil {
			least = *r.MinConfidence
		}
		a.tell("no answer is sure enough (%.2f is needed, see --min-confidence)", least)
	}
	if len(response.Alternatives) > 0 {
		a.tell("\n%s", pick(response.Answered, "or", "what comes nearest"))
		rows := make([][]string, len(response.Alternatives))
		for i, hit := range response.Alternatives {
			rows[i] = append(answerRow(st, hit), "")
		}
		column := len(rows[0]) - 1
		room := a.room(nil, rows, column)
		for i, hit := range response.Alternatives {
			rows[i][column] = oneLine(hit.Answer, room)
		}
		a.renderTable(nil, rows)
	}
	if len(response.Passages) > 0 {
		a.tell("\npassages")
		a.renderHits(response.Passages, nil, false)
	}
}

// answerRow tells how sure an answer is and which question it belongs to.
func answerRow(st style, hit query.AnswerHit) []string {
	return []string{fmt.Sprintf("%.2f", hit.Confidence), st.bar(bar(hit.Confidence, barWidth)), oneLine(hit.ID, idWidth), oneLine(hit.Question, 2*fieldWidth)}
}

// chatOptions are the flags that name a chat model.
type chatOptions struct {
	url, model, keyFile string
	timeout             time.Duration
}

// chatFlags adds the flags that name a chat model.
func (a *app) chatFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&a.chat.url, "chat-url", "", "OpenAI-compatible endpoint of a chat model, for instance http://127.0.0.1:11434/v1 (default $VECDB_CHAT_URL, else none)")
	f.StringVar(&a.chat.model, "chat-model", "", "name of the chat model there (default $VECDB_CHAT_MODEL)")
	f.StringVar(&a.chat.keyFile, "chat-key-file", "", "file that holds its key (default: the key in $VECDB_CHAT_KEY)")
	f.DurationVar(&a.chat.timeout, "chat-timeout", chat.DefaultTimeout, "how long to wait for it")
}

// chatModel opens the chat model that flags and environment name, nil where they
// name none.
func (a *app) chatModel() (vecdb.ChatModel, error) {
	o := chat.Options{URL: a.chat.url, Model: a.chat.model, Key: strings.TrimSpace(a.getenv("VECDB_CHAT_KEY")), Timeout: a.chat.timeout}
	if o.URL == "" {
		o.URL = a.getenv("VECDB_CHAT_URL")
	}
	if o.Model == "" {
		o.Model = a.getenv("VECDB_CHAT_MODEL")
	}
	if o.URL == "" {
		return nil, nil
	}
	if a.chat.keyFile != "" {
		data, err := os.ReadFile(a.chat.keyFile)
		if err != nil {
			return nil, fmt.Errorf("read the key of the chat model: %w", err)
		}
		o.Key = strings.TrimSpace(string(data))
	}
	model, err := chat.New(o)
	if err != nil {
		return nil, fmt.Errorf("chat model: %w", err)
	}
	return model, nil
}
