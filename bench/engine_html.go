package bench

import (
	_ "embed" // for engine.html
	"fmt"
	"html/template"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

//go:embed engine.html
var enginePage string

// WriteHTML writes the report as one page that needs nothing else.
func (r *EngineReport) WriteHTML(w io.Writer) error {
	drawn, err := r.plot()
	if err != nil {
		return err
	}
	t, err := template.New("engine").Funcs(template.FuncMap{
		"us":    func(x float64) string { return fmt.Sprintf("%.0f", x) },
		"num":   func(x float64) string { return fmt.Sprintf("%.1f", x) },
		"ratio": func(x float64) string { return fmt.Sprintf("%.2f", x) },
	}).Parse(enginePage)
	if err != nil {
		return err
	}
	return t.Execute(w, map[string]any{"R": r, "Plot": drawn})
}

// plot draws the medians and 95th percentiles of all operations as bars over a
// logarithmic axis.
func (r *EngineReport) plot() (template.HTML, error) {
	p := plot.New()
	p.X.Label.Text = "microseconds"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Legend.Top = true
	p.Add(plotter.NewGrid())
	names := make([]string, len(r.Points))
	for i, series := range []struct {
		name string
		of   func(EnginePoint) float64
	}{{"p50", func(x EnginePoint) float64 { return x.P50 }}, {"p95", func(x EnginePoint) float64 { return x.P95 }}} {
		points := make(plotter.XYs, len(r.Points))
		for j, x := range r.Points {
			at := len(r.Points) - 1 - j // the first one on top
			names[at] = x.Operation
			points[j] = plotter.XY{X: max(series.of(x), 1), Y: float64(at)}
		}
		marks, err := plotter.NewScatter(points)
		if err != nil {
			return "", err
		}
		marks.Color, marks.Radius = palette[i], vg.Points(4)
		p.Add(marks)
		p.Legend.Add(series.name, marks)
	}
	p.NominalY(names...)
	p.X.Min = math.Pow(10, math.Floor(math.Log10(max(p.X.Min, 1))))
	p.X.Max = math.Pow(10, math.Ceil(math.Log10(p.X.Max*1.001)))
	return renderSize(p, plotWidth, vg.Length(len(r.Points))*vg.Points(17)+vg.Points(60))
}
