package main

import "godarts/nas/figure"

// cellFigure is the figure that shows the cell of a run.
const cellFigure = "cell"

// figureNames returns the names of the figures that there are.
func figureNames() (all []string) {
	for _, kind := range figure.Kinds {
		all = append(all, kind.Name)
	}
	return append(all, cellFigure)
}
