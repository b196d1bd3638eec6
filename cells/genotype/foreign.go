package genotype

import (
	"fmt"
	"regexp"
)

// byteOrderMark is what some editors put before a text.
const byteOrderMark = "\ufeff"

// logHead is what a program's log has before its message: a time stamp ("06/27 01:25:46 PM",
// "2026-01-02 10:20:30,123"), in brackets or not, then maybe words such as "INFO -" or a bar.
var logHead = regexp.MustCompile(`^\[?\d+[-/:]\d+[-/:.,\dT]*(?: [\d:.,]+)?(?: ?[AP]M)?\]?(?: *[-|:])? +(?:[A-Za-z_.]+ *[-|:] *)*`)

// skipLogHead passes over the head of a log's line and tells whether there was one.
func (p *genotypeParser) skipLogHead() bool {
	p.skipSpace()
	head := logHead.FindString(p.text[p.pos:])
	p.pos += len(head)
	return head != ""
}

// node reads the edges of one node in brackets of their own, as pt.darts and AutoDL have them:
//
//	[('sep_conv_3x3', 0), ('skip_connect', 1)]
//
// The opening bracket was passed already, at start.
func (p *genotypeParser) node(role Kind, start int, closing byte) (edges []Edge, err error) {
	err = p.list(closing, func() error {
		e, err := p.edge(role)
		edges = append(edges, e)
		return err
	})
	if want := role.EdgesPerNode(); err == nil && len(edges) != want {
		return nil, p.errorAt(start, "a list for each node: want %d edges in it, this one has %d", want, len(edges))
	}
	return edges, err
}

// autoDLFields are fields that AutoDL has besides. They connect cells in ways that no network here
// does, and are None in its genotypes.
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
