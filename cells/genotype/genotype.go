package genotype

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
)

// MaxNodes is the most nodes that a cell may have: ten times what has been published, and more.
const MaxNodes = 100

// Edge feeds a node from an earlier state through an operation.
//
// In a convolutional cell state 0 is the output of cell k-2, state 1 the output of cell k-1, and state i+2 is node i.
// In a recurrent cell state 0 is the gated mix of input and hidden state, and state i+1 is node i.
type Edge struct {
	Op   Op
	From int
}

// Cell is a derived cell. Node i of a convolutional cell is the sum of Edges[2i] and Edges[2i+1]; node i of a
// recurrent cell is Edges[i]. Concat lists the states that make the output, ascending: concatenated over channels in
// a convolutional cell, averaged in a recurrent one.
type Cell struct {
	Edges  []Edge
	Concat []int
}

// Nodes returns the number of intermediate nodes of a convolutional cell, which has two edges for each. A recurrent
// cell has len(Edges) nodes.
func (c Cell) Nodes() int { return len(c.Edges) / 2 }

// Genotype is the outcome of a search: a normal and a reduction cell, or a recurrent cell. The cells of the other
// kind are zero.
type Genotype struct {
	Normal, Reduce Cell
	Recurrent      Cell
}

// IsRecurrent reports whether g describes a recurrent cell.
func (g Genotype) IsRecurrent() bool { return !g.Recurrent.isZero() }

func (c Cell) isZero() bool { return len(c.Edges) == 0 && len(c.Concat) == 0 }

// Kinds returns the kinds of the cells of g: Recurrent, or Normal and Reduce.
func (g Genotype) Kinds() []Kind {
	if g.IsRecurrent() {
		return recurrentKinds
	}
	return convolutionalKinds
}

var convolutionalKinds, recurrentKinds = []Kind{Normal, Reduce}, []Kind{Recurrent}

// Cell returns the cell of that kind, which the caller may change; of an unknown kind it is Recurrent.
func (g *Genotype) Cell(k Kind) *Cell {
	switch k {
	case Normal:
		return &g.Normal
	case Reduce:
		return &g.Reduce
	}
	return &g.Recurrent
}

// concatField returns the reference's name of the field of Concat; String is its name of the field of Edges.
func (k Kind) concatField() string {
	if k == Recurrent {
		return "concat"
	}
	return k.String() + "_concat"
}

// String returns the genotype as the reference prints it after a search, the repr of its Python named tuple:
//
//	Genotype(normal=[('sep_conv_3x3', 1), ...], normal_concat=range(2, 6), reduce=[...], reduce_concat=range(2, 6))
//	Genotype(recurrent=[('relu', 0), ...], concat=range(1, 9))
//
// It writes consecutive states as range(a, b), others as a list. Parse reads both.
func (g Genotype) String() string {
	b := []byte("Genotype(")
	for i, kind := range g.Kinds() {
		if i > 0 {
			b = append(b, ", "...)
		}
		c := g.Cell(kind)
		b = append(b, kind.String()+"=["...)
		for j, e := range c.Edges {
			if j > 0 {
				b = append(b, ", "...)
			}
			b = fmt.Appendf(b, "('%s', %d)", e.Op, e.From)
		}
		b = append(b, "], "+kind.concatField()+"="...)
		b = appendConcat(b, c.Concat)
	}
	return string(append(b, ')'))
}

func appendConcat(b []byte, concat []int) []byte {
	if len(concat) > 0 && isRun(concat) {
		return fmt.Appendf(b, "range(%d, %d)", concat[0], concat[len(concat)-1]+1)
	}
	return appendIntList(b, concat)
}

func isRun(states []int) bool {
	for i, s := range states {
		if s != states[0]+i {
			return false
		}
	}
	return true
}

func appendIntList(b []byte, states []int) []byte {
	b = append(b, '[')
	for i, s := range states {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = strconv.AppendInt(b, int64(s), 10)
	}
	return append(b, ']')
}

// MarshalJSON writes the reference's fields, with pairs as arrays, as Python's json writes the named tuple's fields:
//
//	{"normal": [["sep_conv_3x3", 0], ...], "normal_concat": [2, 3, 4, 5], "reduce": [...], "reduce_concat": [...]}
//	{"recurrent": [["relu", 0], ...], "concat": [1, 2, 3, 4, 5, 6, 7, 8]}
//
// It fails if the genotype is not valid, so that every file can be read back.
func (g Genotype) MarshalJSON() ([]byte, error) {
	if err := g.Validate(); err != nil {
		return nil, err
	}
	b := []byte("{")
	for i, kind := range g.Kinds() {
		if i > 0 {
			b = append(b, ", "...)
		}
		c := g.Cell(kind)
		b = fmt.Appendf(b, "%q: [", kind)
		for j, e := range c.Edges {
			if j > 0 {
				b = append(b, ", "...)
			}
			b = fmt.Appendf(b, "[%q, %d]", string(e.Op), e.From)
		}
		b = fmt.Appendf(b, "], %q: ", kind.concatField())
		b = appendIntList(b, c.Concat)
	}
	return append(b, '}'), nil
}

// UnmarshalJSON reads what MarshalJSON writes. Its errors are those of Parse.
func (g *Genotype) UnmarshalJSON(data []byte) error {
	if bytes.Equal(data, []byte("null")) {
		return nil // by the convention of encoding/json
	}
	parsed, err := parseGenotypeText(string(data))
	if err != nil {
		return err
	}
	*g = parsed
	return nil
}

// Changed counts the edges of g that old, with as many nodes, does not have. It compares the edges of each node in
// any order. of is the number of all edges of g.
func (g Genotype) Changed(old Genotype) (changed, of int) {
	for _, kind := range g.Kinds() {
		edges, before := g.Cell(kind).Edges, slices.Clone(old.Cell(kind).Edges)
		for i, e := range edges {
			of++
			node := i - i%kind.EdgesPerNode()
			first, last := min(node, len(before)), min(node+kind.EdgesPerNode(), len(before))
			if j := slices.Index(before[first:last], e); j >= 0 {
				before[first+j].Op = "" // each stands for one edge
				continue
			}
			changed++
		}
	}
	return changed, of
}

// Validate returns an error if no network can be built from g. A valid genotype has both convolutional cells or a
// recurrent one, operations of the cell's kind, two edges per convolutional node, edges from earlier states, and a
// concat that is ascending and within the cell. The error names cell, edge and node.
func (g Genotype) Validate() error {
	if err := g.Check(); err != nil {
		return fmt.Errorf("cells: genotype: %w", err)
	}
	return nil
}

// Check returns Validate's error without the package's name before it.
func (g Genotype) Check() error {
	if g.IsRecurrent() && !(g.Normal.isZero() && g.Reduce.isZero()) {
		return fmt.Errorf("has both convolutional and recurrent cells, want one kind")
	}
	for _, kind := range g.Kinds() {
		if err := g.Cell(kind).Check(kind); err != nil {
			return fmt.Errorf("%s cell: %w", kind, err)
		}
	}
	return nil
}

// Check returns an error if c is no cell of that kind.
func (c Cell) Check(kind Kind) error {
	if len(c.Edges) == 0 {
		return fmt.Errorf("has no edges")
	}
	if n := kind.EdgesPerNode(); len(c.Edges)%n != 0 {
		return fmt.Errorf("has %d edges, want %d for every node", len(c.Edges), n)
	} else if nodes := len(c.Edges) / n; nodes > MaxNodes {
		return fmt.Errorf("has %d nodes, want at most %d", nodes, MaxNodes)
	}
	for i, e := range c.Edges {
		node := i / kind.EdgesPerNode()
		if err := checkOp(string(e.Op), kind); err != nil {
			return fmt.Errorf("edge %d of node %d: %w", i, node, err)
		}
		if last := node + kind.Inputs() - 1; e.From < 0 || e.From > last {
			return fmt.Errorf("edge %d of node %d: comes from state %d, want an earlier state (0 to %d)", i, node, e.From, last)
		}
	}
	return c.checkConcat(kind)
}

func (c Cell) checkConcat(kind Kind) error {
	if len(c.Concat) == 0 {
		return fmt.Errorf("concat is empty, want at least one state")
	}
	first, last := kind.firstConcat(), kind.Inputs()+len(c.Edges)/kind.EdgesPerNode()-1
	for i, s := range c.Concat {
		if s < first || s > last {
			return fmt.Errorf("concat has state %d, want %d to %d", s, first, last)
		}
		if i > 0 && s <= c.Concat[i-1] {
			return fmt.Errorf("concat has state %d after %d, want ascending states without repeats", s, c.Concat[i-1])
		}
	}
	return nil
}

// checkOp returns an error that says what fits if op does not fit a cell of that kind.
func checkOp(op string, kind Kind) error {
	convolutional, recurrent := Op(op).Convolutional(), Op(op).Recurrent()
	if kind == Recurrent && recurrent || kind != Recurrent && convolutional {
		return nil
	}
	all, family := recurrentOps, "recurrent"
	if kind != Recurrent {
		all, family = allConvolutionalOps(), "convolutional"
	}
	if convolutional || recurrent {
		return fmt.Errorf("op %q does not fit a %s cell, want one of %q", op, family, all)
	}
	return fmt.Errorf("unknown op %s (nearest: %q)", quoteShort(op), nearestOpAmong(op, all))
}

// quoteShort quotes s for an error message, cut where the line would get too long to read.
func quoteShort(s string) string {
	const longest = 40 // bytes
	if len(s) > longest {
		return strconv.Quote(s[:longest]) + "..."
	}
	return strconv.Quote(s)
}
