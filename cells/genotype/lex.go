package genotype

import (
	"fmt"
	"strconv"
	"strings"
)

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

// skipSpace passes over white space and comments, which end with their line.
func (p *genotypeParser) skipSpace() {
	for p.pos < len(p.text) {
		switch p.text[p.pos] {
		case ' ', '\t', '\r', '\n':
			p.pos++
		case '#':
			end := strings.IndexByte(p.text[p.pos:], '\n')
			if end < 0 {
				end = len(p.text) - p.pos
			}
			p.pos += end
		default:
			return
		}
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

func isIdentifierByte(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isDigit(c)
}
