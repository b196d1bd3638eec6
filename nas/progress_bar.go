package nas

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// bar is the terminal line that shows the progress of a run. It is redrawn in place and is never wider
// than the terminal, where it would wrap and leave its first part on the screen.
type bar struct {
	w     io.Writer
	width func() int // columns of the terminal, read before each drawing
	drawn bool
}

// status is the content of a bar: the position of the run, its quality, its speed, the time left, and
// the share that is done, from 0 to 1.
type status struct {
	place, quality, rate, left string
	done                       float64
}

// Sizes of a bar in columns.
const (
	widestBar    = 20
	leastBar     = 8
	unknownWidth = 80 // where the terminal does not tell
)

// draw replaces the last drawing by s. Errors of the terminal do not stop the run.
func (b *bar) draw(s status) {
	_, _ = io.WriteString(b.w, "\r"+s.fit(terminalColumns(b.width)-1)+"\x1b[K") // the last column stays free: some terminals wrap there
	b.drawn = true
}

// terminalColumns returns the columns that width gives, or those of a usual terminal where it does not know.
func terminalColumns(width func() int) int {
	if columns := width(); columns > 0 {
		return columns
	}
	return unknownWidth
}

// clear erases the bar, so that a line can take its place.
func (b *bar) clear() {
	if b != nil && b.drawn {
		_, _ = io.WriteString(b.w, "\r\x1b[K")
		b.drawn = false
	}
}

// fit returns as much of s as fits in columns. It leaves out the speed first, then the quality, and
// puts the time left after the bar.
func (s status) fit(columns int) string {
	percent := fmt.Sprintf(" %3.0f%%", math.Floor(100*s.done))
	for _, words := range [][]string{{s.place, s.quality, s.rate, s.left}, {s.place, s.quality, s.left}, {s.place, s.left}, {s.place}} {
		text := strings.Join(words, " ")
		room := columns - utf8.RuneCountInString(text)
		if size := min(room-len(percent)-len(" ||"), widestBar); size >= leastBar {
			full := int(s.done * float64(size))
			return text + percent + " |" + strings.Repeat("█", full) + strings.Repeat(" ", size-full) + "|"
		}
		switch {
		case len(words) > 2: // without speed and quality there is more room
		case room >= len(percent):
			return text + percent
		case room >= 0:
			return text
		}
	}
	return string([]rune(s.place)[:max(columns, 0)])
}
