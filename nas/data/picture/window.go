package picture

import (
	"image"
	"math"
	"math/rand/v2"
)

// Window selects the part of a picture that is scaled to the size of the images.
// Scaling is bilinear, and averages all pixels that fall into one, so it does not alias.
// Only RandomArea changes the ratio of the sides.
type Window int

const (
	// Whole scales the shorter side to the size and cuts out the middle.
	Whole Window = iota
	// Middle scales the shorter side to 8/7 of the size, 256 for 224, and cuts
	// out the middle: ImageNet's evaluation.
	Middle
	// RandomArea takes a rectangle of 0.08 to 1 of the area and a ratio of 3/4 to
	// 4/3, anywhere in the picture: ImageNet's training.
	RandomArea
)

// Scale makes an image of width by height. Transparent pixels lie on black. r draws the
// rectangle of RandomArea; the other windows do not use it.
func (w Window) Scale(picture image.Image, width, height int, r *rand.Rand) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	from := picture.Bounds()
	if w == RandomArea {
		resample(out, out.Rect, picture, randomArea(r, from, width, height))
		return out
	}
	from = middle(from, width, height)
	// out shows the middle of the scaled picture.
	resample(out, w.around(from.Dx(), from.Dy(), width, height), picture, from)
	return out
}

// mostRatio bounds the longer side of what is scaled, in multiples of the length that the
// image shows. The memory of scaling grows with that side, shown or not.
const mostRatio = 8

// middle returns the part of a picture that is scaled: all of its bounds, or the middle
// part where one side is longer than mostRatio allows.
func middle(from image.Rectangle, width, height int) image.Rectangle {
	if most := max(1, mostRatio*from.Dy()*width/height); from.Dx() > most {
		from.Min.X += (from.Dx() - most) / 2
		from.Max.X = from.Min.X + most
	}
	if most := max(1, mostRatio*from.Dx()*height/width); from.Dy() > most {
		from.Min.Y += (from.Dy() - most) / 2
		from.Max.Y = from.Min.Y + most
	}
	return from
}

// around returns where a scaled picture lies so that an image of width by height, at the
// origin, shows its middle. It rounds as torchvision's Resize and CenterCrop.
func (w Window) around(fromWidth, fromHeight, width, height int) image.Rectangle {
	goal := image.Pt(width, height)
	if w == Middle {
		goal = image.Pt((8*width+3)/7, (8*height+3)/7)
	}
	size := image.Pt(goal.X, fromHeight*goal.X/fromWidth)
	if fromWidth*goal.Y > fromHeight*goal.X { // wider than the image: the height decides
		size = image.Pt(fromWidth*goal.Y/fromHeight, goal.Y)
	}
	half := func(n int) int { return int(math.RoundToEven(float64(n) / 2)) }
	corner := image.Pt(-half(size.X-width), -half(size.Y-height))
	return image.Rectangle{corner, corner.Add(size)}
}

// randomArea draws the rectangle of RandomArea. After ten that do not fit it takes the
// largest one in the middle with an allowed ratio. As torchvision's RandomResizedCrop,
// whose ratios are for square images.
func randomArea(r *rand.Rand, from image.Rectangle, width, height int) image.Rectangle {
	const tries, leastArea, widest = 10, 0.08, 4. / 3
	fromWidth, fromHeight := float64(from.Dx()), float64(from.Dy())
	square := float64(width) / float64(height)
	at := func(x, y, w, h int) image.Rectangle {
		return image.Rect(x, y, x+w, y+h).Add(from.Min)
	}
	for range tries {
		area := fromWidth * fromHeight * (leastArea + (1-leastArea)*r.Float64())
		ratio := square * math.Exp(math.Log(widest)*(2*r.Float64()-1))
		w, h := int(math.RoundToEven(math.Sqrt(area*ratio))), int(math.RoundToEven(math.Sqrt(area/ratio)))
		if w > 0 && w <= from.Dx() && h > 0 && h <= from.Dy() {
			return at(r.IntN(from.Dx()-w+1), r.IntN(from.Dy()-h+1), w, h)
		}
	}
	ratio := min(max(fromWidth/fromHeight, square/widest), square*widest)
	w := max(1, int(math.RoundToEven(min(fromWidth, fromHeight*ratio))))
	h := max(1, int(math.RoundToEven(min(fromHeight, fromWidth/ratio))))
	return at((from.Dx()-w)/2, (from.Dy()-h)/2, w, h)
}
