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

// changeStrip draws a bar for each epoch, as high as the share of edges that it changed. The bars stand over
// the places of a slider.
func changeStrip(cells []cellOf) template.HTML {
	if len(cells) < 2 {
		return ""
	}
	const height = 24.0
	width := min(6, 600/float64(len(cells)))
	var b strings.Builder
	b.WriteString(`<svg class="strip" aria-hidden="true">`)
	for i, c := range cells {
		part := 0.0
		if c.Of > 0 {
			part = float64(c.Changed) / float64(c.Of)
		}
		bar := max(2, height*part)
		fmt.Fprintf(&b, `<rect x="%.2f%%" y="%.1f" width="%.1f" height="%.1f" transform="translate(%.1f)"/>`,
			100*float64(i)/float64(len(cells)-1), height-bar, width, bar, -width/2)
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) // numbers and nothing else
}
