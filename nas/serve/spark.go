package serve

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// mostPoints is the number of points of a small curve. Of more each point is the mean of several.
const mostPoints = 160

// spark draws a small curve of these values, of the size of its box, in the colour of the text. It has no
// text and no axes: what it shows stands beside it.
func spark(values []float64, width, height float64) template.HTML {
	values = thinned(values, mostPoints)
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	if len(values) < 2 || math.IsInf(high-low, 0) || math.IsNaN(high-low) {
		return ""
	}
	const margin = 3
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="spark" viewBox="0 0 %g %g" preserveAspectRatio="none" aria-hidden="true"><polyline points="`, width, height)
	var x, y float64
	for i, v := range values {
		x = margin + (width-2*margin)*float64(i)/float64(len(values)-1)
		y = height / 2
		if high > low {
			y = height - margin - (height-2*margin)*(v-low)/(high-low)
		}
		fmt.Fprintf(&b, "%.1f,%.1f ", x, y)
	}
	b.WriteString(`"/></svg>`)
	return template.HTML(b.String()) // numbers and nothing else
}

// thinned returns at most n values, each the mean of as many.
func thinned(values []float64, n int) []float64 {
	if len(values) <= n {
		return values
	}
	means := make([]float64, 0, n)
	for i := range n {
		part := values[i*len(values)/n : (i+1)*len(values)/n]
		sum := 0.0
		for _, v := range part {
			sum += v
		}
		means = append(means, sum/float64(len(part)))
	}
	return means
}
