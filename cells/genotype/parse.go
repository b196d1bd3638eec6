package genotype

import (
	"fmt"
	"slices"
	"strings"
)

// Parse reads a genotype from any of:
//
//   - the reference's Python text, as String gives it or as it stands in a source file or a line of a log
//     ("06/27 01:25:46 PM genotype = Genotype(normal=[('sep_conv_3x3', 1), ...], normal_concat=[2, 3, 4, 5], ...)"),
//     with range(a, b), range(b), lists or tuples, either kind of quotes, any white space and comments (#);
//   - the same with the edges of each node in a list or tuple of their own, as pt.darts and AutoDL have it, and
//     AutoDL's connectN=None, connects=None;
//   - JSON, as MarshalJSON gives it, or NNI's flat form ({"normal/op_2_0": "sep_conv_3x3", "normal/input_2_0": 0, ...});
//   - the name of a published genotype in any case ("darts_v2"). Of a name in both Published and PublishedRecurrent
//     it gives the convolutional cells.
//
// The result is valid. Errors give the byte offset where the text is to blame:
//
//	cells: parse genotype: offset 39: unknown op "sep_conv_9x9" (nearest: "sep_conv_7x7")
func Parse(text string) (Genotype, error) {
	if name := onlyName(text); name != "" {
		for _, known := range [][]Named{Published, PublishedRecurrent} {
			if g, ok := findNamed(name, known); ok {
				return g, nil
			}
		}
		all := slices.Concat(Published, PublishedRecurrent)
		return Genotype{}, fmt.Errorf("cells: parse genotype: unknown name %s", describeUnknownName(name, all))
	}
	return parseGenotypeText(text)
}

func parseGenotypeText(text string) (Genotype, error) {
	p := newGenotypeParser(text)
	g, err := p.genotype()
	if err != nil {
		return Genotype{}, fmt.Errorf("cells: parse genotype: %w", err)
	}
	return g, nil
}

// onlyName returns the name that text consists of, besides white space and comments; empty if text is no name.
func onlyName(text string) string {
	p := newGenotypeParser(text)
	name := p.identifier()
	if p.skipSpace(); p.pos < len(text) || name == "" || isDigit(name[0]) {
		return ""
	}
	return name
}

// genotypeParser reads the text once, from left to right. Python's and JSON's forms differ only in brackets,
// separators and quotes, so one grammar reads both.
type genotypeParser struct {
	text string
	pos  int
	seen map[string]parsedField
}

// parsedField is the value of one field; ranges stay unexpanded until the number of states is known, so
// that range(0, 1000000000) takes no memory.
type parsedField struct {
	offset     int
	edges      []Edge
	concat     []int
	isRange    bool
	start, end int // of a range, end excluded
}

func newGenotypeParser(text string) *genotypeParser {
	p := &genotypeParser{text: text}
	if strings.HasPrefix(text, byteOrderMark) {
		p.pos = len(byteOrderMark)
	}
	return p
}

func (p *genotypeParser) genotype() (Genotype, error) {
	logged := p.skipLogHead()
	p.skipAssignment()
	keyword, closing, between := p.at("Genotype"), byte('}'), byte(':')
	opening := byte('{')
	if keyword {
		p.pos += len("Genotype")
		opening, closing, between = '(', ')', '='
	}
	if !p.accept(opening) {
		if keyword {
			return Genotype{}, p.want("'(' after Genotype")
		}
		if logged {
			return Genotype{}, p.want("genotype = Genotype(...) after the time stamp of a log")
		}
		return Genotype{}, p.want("Genotype(...), JSON or a known name")
	}
	if !keyword && p.isNNI() {
		return p.nni()
	}
	p.seen = make(map[string]parsedField)
	err := p.list(closing, func() error { return p.field(between, keyword) })
	if err != nil {
		return Genotype{}, err
	}
	if p.skipSpace(); p.pos < len(p.text) {
		return Genotype{}, p.want("nothing after the genotype")
	}
	return p.assemble()
}

// skipAssignment passes over the "DARTS_V2 =" of a source file or the "genotype =" of a log.
func (p *genotypeParser) skipAssignment() {
	p.skipSpace()
	start := p.pos
	if name := p.identifier(); name == "" || !p.accept('=') {
		p.pos = start
	}
	p.skipSpace()
}

func (p *genotypeParser) field(between byte, keyword bool) error {
	p.skipSpace()
	start := p.pos
	var name string
	if keyword {
		name = p.identifier()
		if name == "" {
			return p.want("a field name")
		}
	} else {
		var err error
		if name, err = p.quoted(); err != nil {
			return err
		}
	}
	kind, isEdges, ok := kindOfField(name)
	foreign := slices.Contains(autoDLFields, name)
	if !ok && !foreign {
		return p.errorAt(start, "unknown field %s (nearest: %q)", quoteShort(name), nearestSpelling(name, fieldNames))
	}
	if _, repeated := p.seen[name]; repeated {
		return p.errorAt(start, "field %q stands twice", name)
	}
	if !p.accept(between) {
		return p.want(fmt.Sprintf("'%c' after %s", between, name))
	}
	if foreign {
		return p.none(name)
	}
	p.skipSpace()
	value := parsedField{offset: p.pos}
	var err error
	if isEdges {
		value.edges, err = p.edges(kind)
	} else {
		err = p.concat(&value)
	}
	p.seen[name] = value
	return err
}

var fieldNames = []string{"normal", "normal_concat", "reduce", "reduce_concat", "recurrent", "concat"}

// kindOfField returns the kind of cell that the field belongs to, and whether it holds the edges.
func kindOfField(name string) (kind Kind, isEdges, ok bool) {
	for _, kind := range slices.Concat(convolutionalKinds, recurrentKinds) {
		if name == kind.String() || name == kind.concatField() {
			return kind, name == kind.String(), true
		}
	}
	return 0, false, false
}

func (p *genotypeParser) edges(kind Kind) ([]Edge, error) {
	closing, ok := p.openSequence()
	if !ok {
		return nil, p.want("a list of edges")
	}
	var edges []Edge
	flat, nested := 0, 0
	err := p.list(closing, func() error {
		if most := MaxNodes * kind.EdgesPerNode(); len(edges) >= most {
			return p.errorAt(p.pos, "more than %d edges, want at most %d nodes", most, MaxNodes)
		}
		p.skipSpace()
		start := p.pos
		if !p.atNode() {
			flat++
			e, err := p.edge(kind)
			edges = append(edges, e)
			return err
		}
		nested++
		closing, _ := p.openSequence()
		of, err := p.node(kind, start, closing)
		edges = append(edges, of...)
		return err
	})
	if err == nil && flat > 0 && nested > 0 {
		return nil, p.errorAt(p.pos, "%d edges stand alone and %d in lists of a node, want one of both", flat, len(edges)-flat)
	}
	return edges, err
}

// atNode reports whether a list or tuple of edges comes, rather than one edge.
func (p *genotypeParser) atNode() bool {
	start := p.pos
	defer func() { p.pos = start }()
	if _, ok := p.openSequence(); !ok {
		return false
	}
	_, ok := p.openSequence()
	return ok
}

func (p *genotypeParser) edge(kind Kind) (Edge, error) {
	closing, ok := p.openSequence()
	if !ok {
		return Edge{}, p.want("a pair ('op', state)")
	}
	p.skipSpace()
	start := p.pos
	op, err := p.quoted()
	if err != nil {
		return Edge{}, err
	}
	if err := checkOp(op, kind); err != nil {
		return Edge{}, p.errorAt(start, "%w", err)
	}
	if !p.accept(',') {
		return Edge{}, p.want("',' after the op")
	}
	from, err := p.integer()
	if err != nil {
		return Edge{}, err
	}
	p.accept(',')
	if !p.accept(closing) {
		return Edge{}, p.want(fmt.Sprintf("'%c' after the state", closing))
	}
	return Edge{Op(strings.Clone(op)), from}, nil // the clone lets go of the text
}

func (p *genotypeParser) concat(value *parsedField) error {
	if p.at("range") {
		p.pos += len("range")
		return p.rangeCall(value)
	}
	closing, ok := p.openSequence()
	if !ok {
		return p.want("range(...) or a list of states")
	}
	return p.list(closing, func() error {
		if len(value.concat) == MaxNodes+2 {
			return p.errorAt(p.pos, "more than %d states, want at most %d nodes", MaxNodes+2, MaxNodes)
		}
		s, err := p.integer()
		value.concat = append(value.concat, s)
		return err
	})
}

func (p *genotypeParser) rangeCall(value *parsedField) error {
	if !p.accept('(') {
		return p.want("'(' after range")
	}
	value.isRange = true
	var err error
	if value.end, err = p.integer(); err != nil {
		return err
	}
	if p.accept(',') {
		value.start = value.end
		if value.end, err = p.integer(); err != nil {
			return err
		}
	}
	if !p.accept(')') {
		return p.want("')' after the range")
	}
	return nil
}

// assemble makes the genotype from the fields, which must be of one family of cells.
func (p *genotypeParser) assemble() (Genotype, error) {
	kinds := convolutionalKinds
	_, edges := p.seen[Recurrent.String()]
	_, concat := p.seen[Recurrent.concatField()]
	if edges || concat {
		kinds = recurrentKinds
	}
	if len(p.seen) > 2*len(kinds) {
		return Genotype{}, fmt.Errorf("has fields of both convolutional and recurrent cells, want one kind")
	}
	var g Genotype
	for _, kind := range kinds {
		for _, name := range []string{kind.String(), kind.concatField()} {
			if _, ok := p.seen[name]; !ok {
				return Genotype{}, fmt.Errorf("field %q is missing", name)
			}
		}
		edges, concat := p.seen[kind.String()], p.seen[kind.concatField()]
		states := kind.Inputs() + len(edges.edges)/kind.EdgesPerNode()
		if concat.isRange {
			if concat.start < 0 || concat.end > states {
				return Genotype{}, p.errorAt(concat.offset, "%s is range(%d, %d), but the states are 0 to %d",
					kind.concatField(), concat.start, concat.end, states-1)
			}
			for s := concat.start; s < concat.end; s++ {
				concat.concat = append(concat.concat, s)
			}
		}
		*g.Cell(kind) = Cell{Edges: edges.edges, Concat: concat.concat}
	}
	return g, g.Check()
}
