package genotype

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// byteOrderMark is what some editors put before a text.
const byteOrderMark = "\ufeff"

// logHead matches what a program's log has before its message: a time stamp ("06/27 01:25:46 PM", "2026-01-02
// 10:20:30,123"), in brackets or not, then perhaps words such as "INFO -" or a bar.
var logHead = regexp.MustCompile(`^\[?\d+[-/:]\d+[-/:.,\dT]*(?: [\d:.,]+)?(?: ?[AP]M)?\]?(?: *[-|:])? +(?:[A-Za-z_.]+ *[-|:] *)*`)

// skipLogHead passes over the head of a log's line and reports whether there was one.
func (p *genotypeParser) skipLogHead() bool {
	p.skipSpace()
	head := logHead.FindString(p.text[p.pos:])
	p.pos += len(head)
	return head != ""
}

// node reads the edges of one node in brackets of their own, as pt.darts and AutoDL write them:
//
//	[('sep_conv_3x3', 0), ('skip_connect', 1)]
//
// The caller has passed the opening bracket, at start.
func (p *genotypeParser) node(kind Kind, start int, closing byte) (edges []Edge, err error) {
	err = p.list(closing, func() error {
		e, err := p.edge(kind)
		edges = append(edges, e)
		return err
	})
	if want := kind.EdgesPerNode(); err == nil && len(edges) != want {
		return nil, p.errorAt(start, "a list for each node: want %d edges in it, this one has %d", want, len(edges))
	}
	return edges, err
}

// autoDLFields are further fields of AutoDL. They connect cells in ways that no network here does, and are None in
// its genotypes.
var autoDLFields = []string{"connectN", "connects"}

// none reads the value of one of autoDLFields.
func (p *genotypeParser) none(field string) error {
	for _, word := range []string{"None", "null"} {
		if p.at(word) {
			p.pos += len(word)
			return nil
		}
	}
	return p.want(fmt.Sprintf("None: a genotype of AutoDL whose %s is not None has connections that no network here has", field))
}

// nniKey is a name in the form of NNI, a flat JSON object. Node 2 is the first:
//
//	{"normal/op_2_0": "sep_conv_3x3", "normal/input_2_0": 0, "normal/op_2_1": ..., "reduce/op_2_0": ...}
//
// An input is a state or a list of one. The output of a cell is all of its nodes.
var nniKey = regexp.MustCompile(`^(normal|reduce)/(op|input)_(\d{1,9})_(\d{1,9})$`)

// nniEdge is one edge as NNI names it, without its cell.
type nniEdge struct{ node, index int }

// nniCell is what was read of a cell so far.
type nniCell struct {
	ops    map[nniEdge]Op
	inputs map[nniEdge]int
}

// isNNI reports whether the object, whose bracket was passed, is in the form of NNI.
func (p *genotypeParser) isNNI() bool {
	start := p.pos
	name, err := p.quoted()
	p.pos = start
	return err == nil && strings.Contains(name, "/")
}

// nni reads the object in the form of NNI whose bracket was passed.
func (p *genotypeParser) nni() (g Genotype, err error) {
	var read [ConvolutionalKinds]nniCell
	for kind := range read {
		read[kind] = nniCell{map[nniEdge]Op{}, map[nniEdge]int{}}
	}
	if err := p.list('}', func() error { return p.nniEntry(read[:]) }); err != nil {
		return g, err
	}
	if p.skipSpace(); p.pos < len(p.text) {
		return g, p.want("nothing after the genotype")
	}
	for kind := range ConvolutionalKinds {
		if *g.Cell(kind), err = read[kind].cell(kind); err != nil {
			return g, err
		}
	}
	return g, g.Check()
}

// nniEntry reads one entry of the object.
func (p *genotypeParser) nniEntry(read []nniCell) error {
	p.skipSpace()
	start := p.pos
	name, err := p.quoted()
	if err != nil {
		return err
	}
	parts := nniKey.FindStringSubmatch(name)
	if parts == nil {
		return p.errorAt(start, "in the form of NNI: unknown name %s, want such as \"normal/op_2_0\" and \"reduce/input_2_0\"", quoteShort(name))
	}
	node, _ := strconv.Atoi(parts[3]) // nine digits fit
	index, _ := strconv.Atoi(parts[4])
	kind := Normal
	if parts[1] == Reduce.String() {
		kind = Reduce
	}
	cell, edge := read[kind], nniEdge{node, index}
	_, known := cell.ops[edge]
	if parts[2] == "input" {
		_, known = cell.inputs[edge]
	}
	if known {
		return p.errorAt(start, "%q stands twice", name)
	}
	if !p.accept(':') {
		return p.want("':' after " + name)
	}
	if parts[2] == "op" {
		cell.ops[edge], err = p.nniOp(kind)
		return err
	}
	cell.inputs[edge], err = p.nniInput()
	return err
}

func (p *genotypeParser) nniOp(kind Kind) (Op, error) {
	p.skipSpace()
	start := p.pos
	op, err := p.quoted()
	if err != nil {
		return "", err
	}
	if err := checkOp(op, kind); err != nil {
		return "", p.errorAt(start, "%w", err)
	}
	return Op(strings.Clone(op)), nil // the clone lets go of the text
}

// nniInput reads a state, or a list of one.
func (p *genotypeParser) nniInput() (int, error) {
	if !p.accept('[') {
		return p.integer()
	}
	state, err := p.integer()
	if err == nil && !p.accept(']') {
		err = p.want("']' after the one state of an input")
	}
	return state, err
}

// cell puts the edges in order. Its error names the first that is missing.
func (c nniCell) cell(kind Kind) (cell Cell, err error) {
	missing := func(what string, e nniEdge) error {
		return fmt.Errorf("in the form of NNI: %q is missing", fmt.Sprintf("%s/%s_%d_%d", kind, what, e.node, e.index))
	}
	nodes := max(1, (max(len(c.ops), len(c.inputs))+1)/2)
	for i := range 2 * nodes {
		e := nniEdge{node: 2 + i/2, index: i % 2}
		op, ok := c.ops[e]
		if !ok {
			return cell, missing("op", e)
		}
		from, ok := c.inputs[e]
		if !ok {
			return cell, missing("input", e)
		}
		cell.Edges = append(cell.Edges, Edge{op, from})
		if e.index == 1 {
			cell.Concat = append(cell.Concat, e.node)
		}
	}
	return cell, nil
}
