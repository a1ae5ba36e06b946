package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb/client"
)

func (a *app) statsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "stats",
		Short: "Show the figures of a collection",
		Example: `  vecdb stats
  vecdb stats -c news --json`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(reads, func(s *session) error {
				st, err := s.Stats(cmd.Context(), a.collection)
				if err != nil {
					return err
				}
				if a.forScripts() {
					return a.printJSON(st)
				}
				a.renderTable(nil, statsRows(st))
				return nil
			})
		},
	}
}

// statsRows are the lines of the table.
func statsRows(st client.Stats) [][]string {
	rows := [][]string{
		{"documents", count(st.Documents)},
		{"passages", count(st.Passages)},
		{"model", modelRow(st)},
		{"vectors", pick(st.Dimension > 0, fmt.Sprintf("%d numbers, ", st.Dimension), "") + "compared by " + st.Metric},
		{"index", fmt.Sprintf("%s, %s vectors, %s of memory", st.Index.Kind, count(st.Index.Vectors), bytesText(st.Index.Bytes)) +
			pick(st.Index.DiskBytes > 0, " and "+bytesText(st.Index.DiskBytes)+" in a file", "")},
	}
	if st.Index.Recall != nil {
		rows = append(rows, recallRows(*st.Index.Recall)...)
	}
	for _, h := range st.Heads {
		rows = append(rows, headRows(h)...)
	}
	if b := st.Behavior; b != nil {
		rows = append(rows, behaviorRows(b)...)
	}
	if x := st.Answers; x != nil {
		rows = append(rows, answersRows(x)...)
	}
	if st.Dimension > 0 {
		rows = append(rows, []string{"memory", memoryText(st)})
	}
	if k := st.EmbeddingCache; k != nil {
		rows = append(rows, []string{"embedding cache", fmt.Sprintf("%s of %s; %s of %s texts found since the start", bytesText(k.Bytes), bytesText(k.Limit), count(int(k.Hits)), count(int(k.Hits+k.Misses)))})
	}
	return append(rows, [][]string{
		{"not searchable yet", fmt.Sprint(st.Index.Pending)},
		{"on disk", bytesText(st.StorageBytes) + " (whole database)"},
		{"last change", fmt.Sprint(st.LastSequence)},
	}...)
}

// modelRow names the model, and who chose it.
func modelRow(st client.Stats) string {
	switch {
	case st.ModelChoice == client.ChoicePending:
		return "not chosen yet: the texts of the first documents choose it, English or Chinese"
	case st.Model == "":
		return "none"
	}
	return strings.TrimSpace(st.Model+" "+st.Precision) + pick(st.ModelChoice == client.ChoiceMade, " (chosen by the first texts)", "")
}

// answersRows tell what is known about answers.
func answersRows(x *client.Answers) [][]string {
	rows := [][]string{{"answers", fmt.Sprintf("feedback on %s", plural(x.Feedback, "question"))}}
	if c := x.Calibration; c != nil {
		rows = append(rows, []string{"  confidence", fmt.Sprintf("calibrated on %s: accuracy %.3f on %s with a variant, calibration error %.3f", plural(c.Examples, "question"), c.Accuracy, count(c.Judged), c.ECE)})
	}
	return rows
}

// memoryText predicts the memory of further documents.
func memoryText(st client.Stats) string {
	const many = 1_000_000
	text := fmt.Sprintf("%s for each further document, %s for %s more", bytesText(st.Index.BytesPerVector), bytesText(many*st.Index.BytesPerVector), count(many))
	if per := st.Index.DiskBytesPerVector; per > 0 {
		text += fmt.Sprintf(", and %s and %s in a file", bytesText(per), bytesText(many*per))
	}
	if st.MemoryAvailable != nil {
		text += fmt.Sprintf("; %s available", bytesText(*st.MemoryAvailable))
	}
	return text
}

// recallRows tell which breadth of search a wanted recall gets.
func recallRows(r client.RecallStats) [][]string {
	source := "preset, not measured yet"
	if r.Vectors > 0 {
		source = fmt.Sprintf("measured at %s vectors with %s of them and %s", count(r.Vectors), count(r.Stored), count(r.Asked)+pick(r.Asked == 1, " query of late", " queries of late"))
	}
	rows := [][]string{{"recall", source}}
	for _, t := range r.Targets {
		text := fmt.Sprintf("breadth %d", t.Ef)
		if t.Measured > 0 {
			text += fmt.Sprintf(", recall@%d %.3f when measured", t.K, t.Measured)
		}
		rows = append(rows, []string{fmt.Sprintf("  for %.2f", t.Recall), text})
	}
	return rows
}
