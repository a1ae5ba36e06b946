package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb/query"
)

// queryFlags are the flags of the commands that return hits.
type queryFlags struct {
	limit    int
	filters  []string
	fields   []string
	exclude  []string
	explain  bool
	minScore float32
	exact    bool
	recall   float64
	shape    shapeFlags
	page     pageFlags
}

func (q *queryFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVarP(&q.limit, "limit", "n", query.DefaultLimit, "how many hits")
	f.StringArrayVarP(&q.filters, "filter", "f", nil, filterHelp)
	f.StringSliceVar(&q.fields, "fields", nil, "fields to show, separated by commas")
	f.StringArrayVar(&q.exclude, "exclude", nil, "id of a document to leave out; repeatable")
	f.BoolVar(&q.explain, "explain", false, "show how each score came about")
	f.Float32Var(&q.minScore, "min-score", 0, "leave out hits with a lower score")
	f.Float64Var(&q.recall, "recall", 0, "share of the nearest to find on average, for instance 0.95 (default: a fixed breadth of search)")
	q.shape.add(cmd)
	q.page.add(cmd)
	f.BoolVar(&q.exact, "exact", false, "compare with every document, whatever the index")
}

// request turns the flags into a request, which still lacks its subject.
func (q *queryFlags) request(cmd *cobra.Command, a *app) (query.Request, error) {
	if q.limit < 1 || q.limit > query.MaxLimit {
		return query.Request{}, usage("--limit must be from 1 to %d", query.MaxLimit)
	}
	if !(q.recall >= 0 && q.recall < 1) {
		return query.Request{}, usage("--recall must be above 0 and below 1, for instance 0.95; --exact finds all")
	}
	filter, err := parseFilters(q.filters)
	if err != nil {
		return query.Request{}, err
	}
	r := query.Request{Limit: q.limit, Filter: filter, Exclude: q.exclude, Explain: q.explain, Params: query.Params{Exact: q.exact, Recall: q.recall}}
	if err := q.shape.apply(&r); err != nil {
		return query.Request{}, err
	}
	q.page.apply(&r)
	if cmd.Flags().Changed("min-score") {
		r.MinScore = &q.minScore
	}
	if len(q.fields) > 0 {
		r.Fields = q.fields
		if !a.forScripts() && !slices.Contains(q.fields, "text") {
			r.Fields = append(slices.Clone(q.fields), "text") // the table shows it
		}
	}
	return r, nil
}

// ask is client.Client.Search or Recommend.
type ask func(ctx context.Context, collection string, r query.Request) (query.Response, error)

// answer asks and prints the hits.
func (a *app) answer(ctx context.Context, do ask, r query.Request, fields []string) error {
	response, err := do(ctx, a.collection, r)
	if err != nil {
		return err
	}
	if a.forScripts() {
		if r.GroupBy != "" {
			return printAll(a, response, response.Groups)
		}
		return printAll(a, response, response.Hits)
	}
	a.warn(response.Warnings)
	if r.GroupBy != "" {
		a.renderGroups(r.GroupBy, response.Groups, fields, r.Explain)
		a.renderTook(plural(len(response.Groups), "group"), response.Took)
	} else {
		a.renderHits(response.Hits, fields, r.Explain)
		a.renderTook(plural(len(response.Hits), "hit"), response.Took)
	}
	for _, f := range response.Facets {
		a.renderFacet(f)
	}
	if r.GroupBy != "" || len(r.Sort) > 0 || r.Cursor != "" {
		a.more(response.Cursor)
	}
	return nil
}

// plural writes a number with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}

func (a *app) searchCommand() *cobra.Command {
	var q queryFlags
	var mode string
	cmd := &cobra.Command{
		Use:   "search TEXT…",
		Short: "Find the documents nearest to a text in meaning and words",
		Example: `  vecdb search "sad film about a father and son"
  vecdb search war at sea --filter 'year>=1990' --filter genre=war --fields year,genre
  vecdb search "central bank" --decay published:30d --diversity 0.3 --highlight
  vecdb search "war at sea" --sort year:desc --candidates 200 --fields year
  vecdb search "war at sea" --group-by genre --group-size 2
  vecdb search "war at sea" --facet genre --facet year --candidates 500
  vecdb search --mode lexical --explain "error E1042"
  vecdb search --json "how do I reset my card?" | jq '.hits[0].id'`,
		Args: atLeast(1, "a text to search for"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := q.request(cmd, a)
			if err != nil {
				return err
			}
			r.Text, r.Mode = strings.Join(args, " "), query.Mode(mode)
			return a.with(reads, func(s *session) error { return a.answer(cmd.Context(), s.Search, r, q.fields) })
		},
	}
	cmd.Flags().StringVar(&mode, "mode", "", "rank by dense (meaning), lexical (words) or hybrid (both, the default)")
	q.add(cmd)
	return cmd
}

func (a *app) similarCommand() *cobra.Command {
	var q queryFlags
	cmd := &cobra.Command{
		Use:   "similar ID",
		Short: "Find the documents nearest to a stored one",
		Example: `  vecdb similar tt0111161
  vecdb similar gimp --filter section=graphics --limit 5`,
		Args: exactly(1, "the id of a document"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := q.request(cmd, a)
			if err != nil {
				return err
			}
			r.ID = args[0]
			return a.with(reads, func(s *session) error { return a.answer(cmd.Context(), s.Search, r, q.fields) })
		},
	}
	q.add(cmd)
	return cmd
}

func (a *app) recommendCommand() *cobra.Command {
	var q queryFlags
	var like, dislike, likeText, dislikeText, sequence []string
	var user string
	cmd := &cobra.Command{
		Use:   "recommend",
		Short: "Find documents for a user, or like some and unlike others",
		Long: `Find documents for a user, by what events tell of all users (see vecdb events),
or documents like some and unlike others. What the user knows, and the examples,
are left out.`,
		Example: `  vecdb recommend --user u1
  vecdb recommend --user u1 --filter 'year>=2000' --diversity 0.3
  vecdb recommend --session tt0111161 --session tt0068646
  vecdb recommend --like tt0111161 --like tt0068646 --dislike tt0120338
  vecdb recommend --like-text "slow cinema" --dislike-text "superheroes" --explain`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := q.request(cmd, a)
			if err != nil {
				return err
			}
			r.User, r.Session = user, sequence
			r.Like, r.Dislike = examples(like, likeText), examples(dislike, dislikeText)
			if user == "" && len(sequence)+len(r.Like) == 0 {
				return usage("%s needs a user or something that is liked: --user USER, --like ID or --like-text TEXT", cmd.CommandPath())
			}
			r.Explain = r.Explain || (user != "" || len(sequence) > 0) && !a.forScripts()
			return a.with(reads, func(s *session) error { return a.answer(cmd.Context(), s.Recommend, r, q.fields) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&user, "user", "", "whom to recommend to")
	f.StringArrayVar(&sequence, "session", nil, "id of a document that somebody liked, the first one first; repeatable")
	f.StringArrayVar(&like, "like", nil, "id of a liked document; repeatable")
	f.StringArrayVar(&likeText, "like-text", nil, "text of the liked kind; repeatable")
	f.StringArrayVar(&dislike, "dislike", nil, "id of a disliked document; repeatable")
	f.StringArrayVar(&dislikeText, "dislike-text", nil, "text of the disliked kind; repeatable")
	q.add(cmd)
	return cmd
}

// examples makes examples of ids and texts.
func examples(ids, texts []string) []query.Example {
	var out []query.Example
	for _, id := range ids {
		out = append(out, query.Example{ID: id})
	}
	for _, text := range texts {
		out = append(out, query.Example{Text: text})
	}
	return out
}
