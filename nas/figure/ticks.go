package figure

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// ticks puts labels at multiples of 1, 2 or 5 times a power of ten.
type ticks struct {
	most  int
	whole bool // at whole numbers only
}

// Ticks implements plot.Ticker.
func (t ticks) Ticks(low, high float64) (marks []plot.Tick) {
	step := roundStep((high - low) / float64(t.most))
	if t.whole {
		step = max(step, 1)
	}
	if !(step > 0) || math.IsInf(step, 0) {
		return nil
	}
	digits := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	for i := math.Ceil(low/step - 1e-9); i*step <= high+step*1e-9 && len(marks) < 100; i++ {
		x := i*step + 0 // + 0 makes 0 of -0
		marks = append(marks, plot.Tick{Value: x, Label: tickLabel(x, digits)})
	}
	return marks
}

// roundStep returns the least of 1, 2, 5, 10, ... times a power of ten that is not below x.
func roundStep(x float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, factor := range []float64{1, 2, 5} {
		if factor*power >= x*(1-1e-9) {
			return factor * power
		}
	}
	return 10 * power
}

// tickLabel returns x with that many digits after the point, thousands and more by an SI prefix.
func tickLabel(x float64, digits int) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(x) >= unit.size*0.9999 {
			return strconv.FormatFloat(x/unit.size, 'g', 4, 64) + unit.name
		}
	}
	if digits > 4 && math.Abs(x) < 0.01 {
		return strconv.FormatFloat(x, 'g', 3, 64)
	}
	return strconv.FormatFloat(x, 'f', digits, 64)
}

// decades puts labels at powers of ten, and between them where there are few.
type decades struct{}

// Ticks implements plot.Ticker.
func (decades) Ticks(low, high float64) (marks []plot.Tick) {
	if high/low < 5 {
		return ticks{5, false}.Ticks(low, high)
	}
	first, last := math.Floor(math.Log10(low)), math.Ceil(math.Log10(high))
	few := math.Log10(high/low) < 2
	for e := first; e <= last && len(marks) < 200; e++ {
		for digit := 1.0; digit < 10; digit++ {
			x := digit * math.Pow(10, e)
			if x < low*(1-1e-9) || x > high*(1+1e-9) {
				continue
			}
			label := ""
			if digit == 1 || few && (digit == 2 || digit == 5) {
				label = logLabel(x)
			}
			marks = append(marks, plot.Tick{Value: x, Label: label})
		}
	}
	return marks
}

func logLabel(x float64) string {
	if x >= 1e3 {
		return tickLabel(x, 0)
	}
	if x >= 1e-3 {
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return fmt.Sprintf("%.0e", x)
}
