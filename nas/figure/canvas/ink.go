package canvas

import (
	"fmt"
	"image/color"

	stdfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// Ink is a colour with the name of its variable in a style sheet.
type Ink struct {
	color.NRGBA
	Name string
}

// NewInk returns an ink with its value on white.
func NewInk(name string, hex uint32) Ink {
	return Ink{color.NRGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), 0xff}, name}
}

// Through returns the ink so that what is below shines through.
func (i Ink) Through(alpha uint8) Ink {
	i.A = alpha
	return i
}

// Declaration returns the variable with its value on white: "--ink: #1a1a1a".
func (i Ink) Declaration() string { return fmt.Sprintf("--%s: #%02x%02x%02x", i.Name, i.R, i.G, i.B) }

// Sans is the font of figures.
func Sans(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

// Heavy is Sans in bold.
func Heavy(size vg.Length) font.Font {
	f := Sans(size)
	f.Weight = stdfont.WeightBold
	return f
}

// Bold reports whether f is bold.
func Bold(f font.Font) bool { return f.Weight == stdfont.WeightBold }
