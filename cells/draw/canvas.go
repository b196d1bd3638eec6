package draw

// Canvas draws the shapes of a picture. Lengths are in CSS pixels, x goes right and y down; inks are #rrggbb.
type Canvas interface {
	// Curve draws a line of LineWidth.
	Curve(c Curve, ink string)
	// Triangle fills the triangle of three points.
	Triangle(corners [3]Point, ink string)
	// Box fills a rectangle with round corners around its centre. It has an outline of LineWidth if stroke is not empty.
	Box(centre Point, width, height, radius float64, fill, stroke string)
	// Text writes a word around the middle of its baseline, and a smaller and lower subscript after it, which may be empty.
	Text(middle Point, word string, size float64, subscript string, ink string)
}

// LineWidth is the width of every line of a picture.
const LineWidth = 1.2

// Sizes of subscripts: of their letters, and how much lower than the word they stand.
const (
	SubscriptSize = 10.0
	SubscriptDrop = 4.0
)

// Point is a place of a picture.
type Point struct{ X, Y float64 }

// Curve begins at Start and goes on through each Bend.
type Curve struct {
	Start Point
	Bends []Bend
}

// Bend goes on to To: straight, or if it has Controls as a cubic Bézier curve.
type Bend struct {
	To       Point
	Controls *[2]Point
}

// Draw draws the picture on c, but not the page that it stands on.
func (p *Picture) Draw(c Canvas) {
	p.drawArrows(c)
	p.drawSpots(c)
}

// drawArrows draws what boxes and labels cover.
func (p *Picture) drawArrows(c Canvas) {
	for i, a := range p.graph.arrows {
		ink := "#3c3c3c"
		if a.label == "" {
			ink = "#8c8c8c" // no operation: less to look at
		}
		c.Curve(p.curve(i), ink)
		x, y := p.target(i)
		c.Triangle([3]Point{{x, y}, {x - arrowLength, y - arrowHalf}, {x - arrowLength, y + arrowHalf}}, ink)
	}
}

// drawSpots draws boxes and labels.
func (p *Picture) drawSpots(c Canvas) {
	for _, s := range p.spots {
		switch {
		case s.box >= 0:
			box := p.graph.boxes[s.box]
			c.Box(Point{s.x, s.y}, s.width, s.height, 5, box.paint.fill, box.paint.stroke)
			c.Text(Point{s.x, s.y + 5}, box.name, nameSize, box.subscript, black)
		case s.label != "":
			paint := opPaint(s.label)
			c.Box(Point{s.x, s.y}, textWidth(s.label, labelSize)+8, s.height, 3, paint.fill, "")
			c.Text(Point{s.x, s.y + 4}, s.label, labelSize, "", paint.stroke)
		}
	}
}

// black is the ink of names.
const black = "#000000"
