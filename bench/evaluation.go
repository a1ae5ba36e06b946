package bench

import (
	_ "embed" // for evaluation.html
	"fmt"
	"html/template"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/vecdb/vecdb/train"
)

//go:embed evaluation.html
var evaluationPage string

const (
	// longestName is where names of labels in a plot are cut, in characters.
	longestName = 24
	// mostNumbered is how many labels a heat map may have to tell the counts in
	// its cells.
	mostNumbered = 20
)

// WriteEvaluation writes how well labels are found as one page that needs
// nothing else: tables, and the confusion matrix as SVG inside it.
func WriteEvaluation(w io.Writer, title string, r train.Report) error {
	matrix, err := confusionPlot(r)
	if err != nil {
		return err
	}
	t, err := template.New("evaluation").Funcs(template.FuncMap{
		"rec": func(x float64) string { return fmt.Sprintf("%.3f", x) },
	}).Parse(evaluationPage)
	if err != nil {
		return err
	}
	return t.Execute(w, map[string]any{"R": r, "Title": title, "Matrix": matrix})
}

// confusion is the matrix as a grid, the first label on top. The colour of a
// cell is its share of the documents of its label.
type confusion struct{ r train.Report }

func (c confusion) Dims() (columns, rows int) { n := len(c.r.Classes); return n, n }
func (c confusion) X(column int) float64      { return float64(column) }
func (c confusion) Y(row int) float64         { return float64(row) }
func (c confusion) Z(column, row int) float64 {
	label := len(c.r.Classes) - 1 - row
	return float64(c.r.Confusion[label][column]) / float64(max(c.r.Classes[label].Support, 1))
}

// paper is the colour of nothing; shades go from there to the first colour of
// the plots.
var paper = color.RGBA{255, 255, 255, 255}

type shades struct{}

// Colors returns the shades, the lightest first.
func (shades) Colors() []color.Color {
	const steps = 64
	out := make([]color.Color, steps)
	r, g, b, _ := palette[0].RGBA()
	mix := func(c uint32, i int) uint8 { return uint8(255 - (255-int(c>>8))*i/(steps-1)) }
	for i := range out {
		out[i] = color.RGBA{mix(r, i), mix(g, i), mix(b, i), 255}
	}
	return out
}

func confusionPlot(r train.Report) (template.HTML, error) {
	n := len(r.Classes)
	cells := plotter.NewHeatMap(confusion{r}, shades{})
	cells.Min, cells.Max = 0, 1
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = "given", "true"
	p.Add(cells)
	columns, rows := make([]plot.Tick, n), make([]plot.Tick, n)
	for i, c := range r.Classes {
		name := shortName(c.Label) + "  " // viewers' fonts differ in width
		columns[i] = plot.Tick{Value: float64(i), Label: name}
		rows[n-1-i] = plot.Tick{Value: float64(n - 1 - i), Label: name}
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.ConstantTicks(columns), plot.ConstantTicks(rows)
	p.X.Tick.Length, p.Y.Tick.Length = 0, 0
	p.X.Tick.Label.Rotation, p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = math.Pi/2, -1, -0.5
	if n > mostNumbered {
		p.X.Tick.Label.Font.Size, p.Y.Tick.Label.Font.Size = vg.Points(6), vg.Points(6)
	} else if err := addCounts(p, r); err != nil {
		return "", err
	}
	side := max(5*vg.Inch, min(vg.Length(n)*vg.Points(10)+2*vg.Inch, 14*vg.Inch))
	return renderSize(p, side+vg.Inch, side)
}

// addCounts writes the counts into the cells.
func addCounts(p *plot.Plot, r train.Report) error {
	var at plotter.XYLabels
	for i := range r.Classes {
		for j, n := range r.Confusion[i] {
			if n > 0 {
				at.XYs = append(at.XYs, plotter.XY{X: float64(j), Y: float64(len(r.Classes) - 1 - i)})
				at.Labels = append(at.Labels, fmt.Sprint(n))
			}
		}
	}
	labels, err := plotter.NewLabels(at)
	if err != nil {
		return err
	}
	k := 0
	for i, c := range r.Classes {
		for _, n := range r.Confusion[i] {
			if n == 0 {
				continue
			}
			labels.TextStyle[k].XAlign, labels.TextStyle[k].YAlign = -0.5, -0.5
			if float64(n) > 0.5*float64(c.Support) {
				labels.TextStyle[k].Color = paper
			}
			k++
		}
	}
	p.Add(labels)
	return nil
}

// shortName cuts the name of a label.
func shortName(label string) string {
	if r := []rune(label); len(r) > longestName {
		return string(r[:longestName-1]) + "…"
	}
	return label
}
