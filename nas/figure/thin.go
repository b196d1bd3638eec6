package figure

import "gonum.org/v1/plot/plotter"

// mostPoints bounds the points of a line: more than a figure shows.
const mostPoints = 2000

// thinned returns a line of at most mostPoints with the same look: of each stretch its lowest and its highest point.
func thinned(points plotter.XYs) plotter.XYs {
	if len(points) <= mostPoints {
		return points
	}
	const stretches = mostPoints / 2
	thin := make(plotter.XYs, 0, mostPoints)
	for i := range stretches {
		from, to := i*len(points)/stretches, (i+1)*len(points)/stretches
		low, high := from, from
		for j := from; j < to; j++ {
			if points[j].Y < points[low].Y {
				low = j
			}
			if points[j].Y > points[high].Y {
				high = j
			}
		}
		thin = append(thin, points[min(low, high)])
		if low != high {
			thin = append(thin, points[max(low, high)])
		}
	}
	return thin
}
