package bench

import (
	"bytes"
	"html/template"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Sizes of a plot.
const (
	plotWidth  = 9 * vg.Inch
	plotHeight = 4.5 * vg.Inch
	margin     = 8 * vg.Length(1)
)

// palette holds colours that people with any kind of sight can tell apart
// (Okabe and Ito).
var palette = []color.Color{
	color.RGBA{0, 114, 178, 255}, color.RGBA{213, 94, 0, 255}, color.RGBA{0, 158, 115, 255},
	color.RGBA{204, 121, 167, 255}, color.RGBA{230, 159, 0, 255}, color.RGBA{86, 180, 233, 255},
}

// recallPlot draws queries per second over recall, one curve an index.
func (r *Report) recallPlot() (template.HTML, error) {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = "recall@10", "queries per second"
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Legend.Top, p.Legend.XOffs, p.Legend.YOffs = true, -vg.Points(12), -vg.Points(6)
	p.Add(plotter.NewGrid())
	for i, name := range r.indexes() {
		var curve plotter.XYs
		for _, pt := range r.Points {
			if pt.Index == name {
				curve = append(curve, plotter.XY{X: pt.Recall, Y: max(pt.QPS, 1e-3)})
			}
		}
		line, marks, err := plotter.NewLinePoints(curve)
		if err != nil {
			return "", err
		}
		c := palette[i%len(palette)]
		line.Color, marks.Color = c, c
		line.Width = vg.Points(1.5)
		marks.Shape, marks.Radius = draw.CircleGlyph{}, vg.Points(4)
		p.Add(line, marks)
		p.Legend.Add(name, line, marks)
	}
	// Whole decades, so that there are always numbers at the axis.
	p.Y.Min = math.Pow(10, math.Floor(math.Log10(p.Y.Min)))
	p.Y.Max = math.Pow(10, math.Ceil(math.Log10(p.Y.Max)))
	p.X.Min, p.X.Max = 0, 1
	return render(p)
}

// indexes returns the measured back ends in their order.
func (r *Report) indexes() (names []string) {
	for _, p := range r.Points {
		if len(names) == 0 || names[len(names)-1] != p.Index {
			names = append(names, p.Index)
		}
	}
	return names
}

// stagePlot draws the stages' percentiles as bars.
func (r *Report) stagePlot() (template.HTML, error) {
	if len(r.Stages) == 0 {
		return "", nil
	}
	p := plot.New()
	p.Y.Label.Text = "microseconds"
	p.Legend.Top, p.Legend.Left = true, true
	width := vg.Points(22)
	var names []string
	for _, s := range r.Stages {
		names = append(names, s.Name)
	}
	for i, series := range []struct {
		name string
		of   func(Stage) float64
	}{{"p50", func(s Stage) float64 { return s.P50 }}, {"p95", func(s Stage) float64 { return s.P95 }}, {"p99", func(s Stage) float64 { return s.P99 }}} {
		var values plotter.Values
		for _, s := range r.Stages {
			values = append(values, series.of(s))
		}
		bars, err := plotter.NewBarChart(values, width)
		if err != nil {
			return "", err
		}
		bars.Color, bars.Offset, bars.LineStyle.Width = palette[i], vg.Length(i-1)*width, 0
		p.Add(bars)
		p.Legend.Add(series.name, bars)
	}
	p.NominalX(names...)
	p.Y.Max *= 1.05
	p.X.Max += 0.25
	return render(p)
}

// render returns the plot as an SVG element.
func render(p *plot.Plot) (template.HTML, error) {
	c := vgsvg.NewWith(vgsvg.UseWH(plotWidth, plotHeight), vgsvg.EmbedFonts(false))
	p.Draw(draw.Crop(draw.New(c), margin, -2*margin, margin, -margin))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return "", err
	}
	svg := b.String()
	// The element stands inside a page, which has no place for the preamble.
	if i := strings.Index(svg, "<svg"); i > 0 {
		svg = svg[i:]
	}
	// The plotting library writes it; nothing in it comes from a user but
	// names of indexes, which it escapes.
	return template.HTML(svg), nil
}
