// Package document reads the text of one YAML document. Its errors name the line of the mistake.
package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"godarts/nas/names"
)

// Parse reads one document. An error says what is wrong; line says where, and is 0 where that is unknown.
func Parse(text []byte) (root *yaml.Node, line int, err error) {
	if line, err := checkCharacters(text); err != nil {
		return nil, line, err
	}
	root, second, err := decodeOne(text)
	switch {
	case err == io.EOF:
		return nil, 0, errors.New("empty")
	case err != nil:
		line, err := locate(text, err)
		return nil, line, err
	case second != nil:
		return nil, second.Line, errors.New("a second YAML document; want one")
	}
	return root, 0, nil
}

// decodeOne returns the first document, and the second if there is one.
func decodeOne(text []byte) (root, second *yaml.Node, err error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, next yaml.Node
	if err := decoder.Decode(&document); err != nil {
		return nil, nil, err
	}
	switch err := decoder.Decode(&next); {
	case err == nil:
		return document.Content[0], &next, nil
	case err != io.EOF:
		return nil, nil, err
	}
	return document.Content[0], nil, nil
}

// checkCharacters refuses what YAML does not allow in a file, with its line. The parser's own error names no line.
func checkCharacters(text []byte) (line int, err error) {
	line = 1
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return line, fmt.Errorf("not UTF-8 text: byte %#02x", text[i])
		case r == '\n':
			line++
		case unicode.IsControl(r) && r != '\t' && r != '\r' && r != '\u0085':
			return line, fmt.Errorf("not text: character %U", r)
		}
		i += size
	}
	return 0, nil
}

// yamlError matches a message of the parser: "yaml: line 3: did not find expected key".
var yamlError = regexp.MustCompile(`^(?:yaml: )?(?:line \d+: )?(.*)`)

// locate returns the message of the parser's error for text, and a line: the first line such that the text up to
// it fails in this way, however many lines follow. (The parser counts lines from 0 or from 1, and names the line
// of the mistake or that of the mapping around it.)
func locate(text []byte, err error) (line int, located error) {
	const mostLines = 1000 // each costs a parse
	message := func(err error) string {
		if err == nil {
			return ""
		}
		return yamlError.FindStringSubmatch(err.Error())[1]
	}
	located = fmt.Errorf("not YAML: %s", names.Print(message(err)))
	text = bytes.TrimRight(text, "\n")
	line = 1 + bytes.Count(text, []byte("\n"))
	if line > mostLines {
		return 0, located
	}
	for ; line > 1; line-- {
		text = text[:bytes.LastIndexByte(text, '\n')]
		if _, _, shorter := decodeOne(text); message(shorter) != message(err) {
			break
		}
	}
	return line, located
}
