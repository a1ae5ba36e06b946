package bench

import (
	_ "embed" // for report.html
	"fmt"
	"html/template"
	"io"
)

//go:embed report.html
var page string

// WriteHTML writes the report as one page that needs nothing else: tables, and
// the plots as SVG inside it.
func (r *Report) WriteHTML(w io.Writer) error {
	recallPlot, err := r.recallPlot(r.Mode(ModeSearch), byThreads)
	if err != nil {
		return err
	}
	filterPlot, err := r.recallPlot(r.filterCurves(), byFilter)
	if err != nil {
		return err
	}
	stagePlot, err := r.stagePlot()
	if err != nil {
		return err
	}
	t, err := template.New("report").Funcs(template.FuncMap{
		"us":  func(x float64) string { return fmt.Sprintf("%.0f", x) },
		"num": func(x float64) string { return fmt.Sprintf("%.1f", x) },
		"rec": func(x float64) string { return fmt.Sprintf("%.4f", x) },
		"mib": func(n int64) string { return fmt.Sprintf("%.0f", float64(n)/(1<<20)) },
		"at": func(s Summary, recall float64) string {
			if qps, reached := s.Rate(recall); reached {
				return fmt.Sprintf("%.0f", qps)
			}
			return "–"
		},
	}).Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, map[string]any{
		"R": r, "Recall": recallPlot, "Filters": filterPlot, "Stages": stagePlot, "Recalls": SummaryRecalls(),
	})
}
