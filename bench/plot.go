package bench

import (
	"bytes"
	"fmt"
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

// recallPlot draws queries per second over recall, a curve for each label.
// Without points it is "".
func (r *Report) recallPlot(points []Point, label func(Point) string) (template.HTML, error) {
	if len(points) == 0 {
		return "", nil
	}
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = r.RecallName(), "queries per second"
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Legend.Top, p.Legend.XOffs, p.Legend.YOffs = true, -vg.Points(12), -vg.Points(6)
	p.Add(plotter.NewGrid())
	names, curves := curvesBy(points, label)
	if len(names) > len(palette) {
		p.Legend.TextStyle.Font.Size = vg.Points(8)
	}
	for i, name := range names {
		line, marks, err := plotter.NewLinePoints(curves[name])
		if err != nil {
			return "", err
		}
		c := palette[i%len(palette)]
		line.Color, marks.Color = c, c
		line.Width, line.Dashes = vg.Points(1.5), dashes(i/len(palette))
		marks.Shape, marks.Radius = draw.CircleGlyph{}, vg.Points(3)
		p.Add(line, marks)
		p.Legend.Add(name, line, marks)
	}
	// Whole decades, so that there are always numbers at the axis.
	p.Y.Min = math.Pow(10, math.Floor(math.Log10(p.Y.Min)))
	p.Y.Max = math.Pow(10, math.Ceil(math.Log10(p.Y.Max*1.001)))
	// Tenths down to the lowest recall, so that high ones are told apart.
	p.X.Min, p.X.Max = math.Floor(10*min(p.X.Min, 0.9))/10, 1
	return render(p)
}

// filterCurves returns the filtered searches of one number of threads, as more
// would fill the plot.
func (r *Report) filterCurves() (out []Point) {
	for _, p := range r.Mode(ModeFiltered) {
		if len(out) == 0 || p.Threads == out[0].Threads {
			out = append(out, p)
		}
	}
	return out
}

// curvesBy parts points by their labels, which come in the order of the points.
func curvesBy(points []Point, label func(Point) string) (names []string, curves map[string]plotter.XYs) {
	curves = make(map[string]plotter.XYs)
	for _, p := range points {
		name := label(p)
		if curves[name] == nil {
			names = append(names, name)
		}
		curves[name] = append(curves[name], plotter.XY{X: p.Recall, Y: max(p.QPS, 1e-3)})
	}
	return names, curves
}

// dashes tells curves of one colour apart.
func dashes(round int) []vg.Length {
	if round == 0 {
		return nil
	}
	return []vg.Length{vg.Points(float64(2 * round)), vg.Points(2)}
}

// byThreads names a curve of searches, byFilter one of filtered searches.
func byThreads(p Point) string {
	if p.Threads == 1 {
		return p.Index
	}
	return fmt.Sprintf("%s, %d threads", p.Index, p.Threads)
}

func byFilter(p Point) string {
	return byThreads(p) + ", " + strings.TrimPrefix(p.Conditions(), "filter ")
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
func render(p *plot.Plot) (template.HTML, error) { return renderSize(p, plotWidth, plotHeight) }

func renderSize(p *plot.Plot, width, height vg.Length) (template.HTML, error) {
	c := vgsvg.NewWith(vgsvg.UseWH(width, height), vgsvg.EmbedFonts(false))
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
