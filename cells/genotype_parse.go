package cells

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ParseGenotype reads a genotype from any of:
//
//   - the reference's Python text, as String gives it or as it stands in a source file or a log
//     ("genotype = Genotype(normal=[('sep_conv_3x3', 1), ...], normal_concat=[2, 3, 4, 5], ...)"), with
//     range(a, b), range(b), lists or tuples, either kind of quotes, any white space;
//   - JSON, as MarshalJSON gives it;
//   - the name of a published genotype in any case ("darts_v2"). Of a name in both Known and RecurrentKnown
//     it gives the convolutional cells.
//
// The result is valid. Errors give the byte offset where the text is to blame:
//
//	cells: parse genotype: offset 39: unknown op "sep_conv_9x9" (nearest: "sep_conv_7x7")
func ParseGenotype(text string) (Genotype, error) {
	if name := strings.TrimSpace(text); isIdentifier(name) {
		for _, known := range [][]NamedGenotype{Known, RecurrentKnown} {
			if g, ok := findNamed(name, known); ok {
				return g, nil
			}
		}
		all := slices.Concat(Known, RecurrentKnown)
		return Genotype{}, fmt.Errorf("cells: parse genotype: unknown name %s", describeUnknownName(name, all))
	}
	return parseGenotypeText(text)
}

func parseGenotypeText(text string) (Genotype, error) {
	p := genotypeParser{text: text}
	g, err := p.genotype()
	if err != nil {
		return Genotype{}, fmt.Errorf("cells: parse genotype: %w", err)
	}
	return g, nil
}

func isIdentifier(s string) bool {
	for i := range len(s) {
		if !isIdentifierByte(s[i]) {
			return false
		}
	}
	return s != "" && !isDigit(s[0])
}

func isIdentifierByte(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isDigit(c)
}

// genotypeParser goes over the text once. Python's and JSON's forms differ in brackets, separators and
// quotes only, so one grammar reads both.
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

func (p *genotypeParser) genotype() (Genotype, error) {
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
		return Genotype{}, p.want("Genotype(...), JSON or a known name")
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
	field, isEdges, ok := findGenotypeField(name)
	if !ok {
		return p.errorAt(start, "unknown field %s (nearest: %q)", quoteShort(name), nearestSpelling(name, genotypeFieldNames))
	}
	if _, repeated := p.seen[name]; repeated {
		return p.errorAt(start, "field %q stands twice", name)
	}
	if !p.accept(between) {
		return p.want(fmt.Sprintf("'%c' after %s", between, name))
	}
	p.skipSpace()
	value := parsedField{offset: p.pos}
	var err error
	if isEdges {
		value.edges, err = p.edges(field.role)
	} else {
		err = p.concat(&value)
	}
	p.seen[name] = value
	return err
}

var genotypeFieldNames = []string{"normal", "normal_concat", "reduce", "reduce_concat", "recurrent", "concat"}

func findGenotypeField(name string) (field genotypeField, isEdges, ok bool) {
	for _, f := range slices.Concat(convolutionalFields, recurrentFields) {
		if name == f.edges || name == f.concat {
			return f, name == f.edges, true
		}
	}
	return genotypeField{}, false, false
}

func (p *genotypeParser) edges(role cellRole) ([]Edge, error) {
	closing, ok := p.openSequence()
	if !ok {
		return nil, p.want("a list of edges")
	}
	var edges []Edge
	err := p.list(closing, func() error {
		e, err := p.edge(role)
		edges = append(edges, e)
		return err
	})
	return edges, err
}

func (p *genotypeParser) edge(role cellRole) (Edge, error) {
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
	if err := checkOp(op, role); err != nil {
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

// assemble builds the genotype from the fields, which must be those of one kind.
func (p *genotypeParser) assemble() (Genotype, error) {
	fields := convolutionalFields
	for _, f := range recurrentFields {
		_, edges := p.seen[f.edges]
		_, concat := p.seen[f.concat]
		if edges || concat {
			fields = recurrentFields
		}
	}
	if len(p.seen) > 2*len(fields) {
		return Genotype{}, fmt.Errorf("has fields of both convolutional and recurrent cells, want one kind")
	}
	var g Genotype
	for _, f := range fields {
		for _, name := range []string{f.edges, f.concat} {
			if _, ok := p.seen[name]; !ok {
				return Genotype{}, fmt.Errorf("field %q is missing", name)
			}
		}
		edges, concat := p.seen[f.edges], p.seen[f.concat]
		states := f.role.inputs() + len(edges.edges)/f.role.edgesPerNode()
		if concat.isRange {
			if concat.start < 0 || concat.end > states {
				return Genotype{}, p.errorAt(concat.offset, "%s is range(%d, %d), but the states are 0 to %d",
					f.concat, concat.start, concat.end, states-1)
			}
			for s := concat.start; s < concat.end; s++ {
				concat.concat = append(concat.concat, s)
			}
		}
		*f.cell(&g) = Cell{Edges: edges.edges, Concat: concat.concat}
	}
	return g, g.check()
}

// list reads items separated by commas up to the closing bracket; a trailing comma is allowed.
func (p *genotypeParser) list(closing byte, item func() error) error {
	for !p.accept(closing) {
		if err := item(); err != nil {
			return err
		}
		if p.accept(',') {
			continue
		}
		if p.accept(closing) {
			return nil
		}
		return p.want(fmt.Sprintf("',' or '%c'", closing))
	}
	return nil
}

// openSequence passes the opening bracket of a list or tuple and returns the closing one.
func (p *genotypeParser) openSequence() (closing byte, ok bool) {
	switch {
	case p.accept('['):
		return ']', true
	case p.accept('('):
		return ')', true
	}
	return 0, false
}

func (p *genotypeParser) skipSpace() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
}

func (p *genotypeParser) at(prefix string) bool {
	p.skipSpace()
	return strings.HasPrefix(p.text[p.pos:], prefix)
}

func (p *genotypeParser) accept(c byte) bool {
	p.skipSpace()
	if p.pos < len(p.text) && p.text[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

func (p *genotypeParser) identifier() string {
	p.skipSpace()
	start := p.pos
	for p.pos < len(p.text) && isIdentifierByte(p.text[p.pos]) {
		p.pos++
	}
	return p.text[start:p.pos]
}

// quoted reads a string in single or double quotes. No name that can stand in one needs an escape.
func (p *genotypeParser) quoted() (string, error) {
	p.skipSpace()
	start := p.pos
	if !p.accept('\'') && !p.accept('"') {
		return "", p.want("a quoted name")
	}
	length := strings.IndexByte(p.text[p.pos:], p.text[start])
	if length < 0 {
		return "", p.errorAt(start, "the quote is not closed")
	}
	s := p.text[p.pos : p.pos+length]
	p.pos += length + 1
	return s, nil
}

func (p *genotypeParser) integer() (int, error) {
	p.skipSpace()
	start := p.pos
	if p.pos < len(p.text) && p.text[p.pos] == '-' {
		p.pos++
	}
	for p.pos < len(p.text) && isDigit(p.text[p.pos]) {
		p.pos++
	}
	digits := p.text[start:p.pos]
	if digits == "" || digits == "-" {
		p.pos = start
		return 0, p.want("a whole number")
	}
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil {
		return 0, p.errorAt(start, "number %s is too large for a state", quoteShort(digits))
	}
	return int(n), nil
}

// want reports what the grammar asks for at the current position and what stands there.
func (p *genotypeParser) want(what string) error {
	p.skipSpace()
	if p.pos == len(p.text) {
		return p.errorAt(p.pos, "the text ends, want %s", what)
	}
	found := p.text[p.pos:]
	if end := strings.IndexAny(found, "\r\n"); end > 0 {
		found = found[:end]
	}
	const glimpse = 12 // bytes
	if len(found) > glimpse {
		found = found[:glimpse]
	}
	return p.errorAt(p.pos, "found %s, want %s", strconv.Quote(found), what)
}

func (p *genotypeParser) errorAt(offset int, format string, arguments ...any) error {
	return fmt.Errorf("offset %d: %w", offset, fmt.Errorf(format, arguments...))
}
