package figure

import (
	"maps"
	"slices"

	"godarts/nas/figure/canvas"
)

// Colors returns the variables that Inline's pictures use, with their values on white: "--ink: #1a1a1a".
func Colors() (declarations []string) {
	all := append([]canvas.Ink{paper, black, muted, grid, hot, opText}, seriesInks...)
	for _, shade := range opPaints {
		for _, family := range slices.Sorted(maps.Keys(shade)) {
			all = append(all, shade[family])
		}
	}
	for _, i := range all {
		declarations = append(declarations, i.Declaration())
	}
	return declarations
}
