package tensorboard

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// read is an event file as the tests see it: what each tag has at its steps.
type read struct {
	points map[string][]point // in the order of the file
	wall   []float64          // of all events
}

// point is the value of a tag at a step.
type point struct {
	step  int
	value string // "0.5", "histogram", "image 3x2", a text, or the content for a plugin
}

// readFile reads the one event file in dir. It fails if a checksum does not fit.
func readFile(t *testing.T, dir string) read {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*tfevents*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%d event files in %s, %v", len(files), dir, err)
	}
	content, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	r := read{points: map[string][]point{}}
	for _, data := range records(t, content) {
		fields := fieldsOf(t, data)
		r.wall = append(r.wall, math.Float64frombits(fields[eventWallTime][0].(uint64)))
		step := 0
		if s := fields[eventStep]; s != nil {
			step = int(s[0].(uint64))
		}
		for _, summary := range fields[eventSummary] {
			for _, v := range fieldsOf(t, summary.([]byte))[summaryValue] {
				tag, value := valueOf(t, v.([]byte))
				r.points[tag] = append(r.points[tag], point{step, value})
			}
		}
	}
	return r
}

// records returns the records of a TFRecord file.
func records(t *testing.T, content []byte) (all [][]byte) {
	t.Helper()
	for len(content) > 0 {
		n := binary.LittleEndian.Uint64(content)
		data := content[12 : 12+n]
		if binary.LittleEndian.Uint32(content[8:]) != checksum(content[:8]) || binary.LittleEndian.Uint32(content[12+n:]) != checksum(data) {
			t.Fatalf("record %d: a checksum does not fit", len(all))
		}
		all, content = append(all, data), content[16+n:]
	}
	return all
}

// fieldsOf returns the fields of a message: uint64 for numbers, []byte for everything else.
func fieldsOf(t *testing.T, data []byte) map[protowire.Number][]any {
	t.Helper()
	fields := map[protowire.Number][]any{}
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		data = data[n:]
		var v any
		switch kind {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(data)
		case protowire.Fixed32Type:
			var x uint32
			x, n = protowire.ConsumeFixed32(data)
			v = uint64(x)
		case protowire.Fixed64Type:
			v, n = protowire.ConsumeFixed64(data)
		default:
			v, n = protowire.ConsumeBytes(data)
		}
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		data = data[n:]
		fields[number] = append(fields[number], v)
	}
	return fields
}

// valueOf returns the tag and the content of a value of a summary.
func valueOf(t *testing.T, data []byte) (tag, value string) {
	t.Helper()
	fields := fieldsOf(t, data)
	inner := func(number protowire.Number) map[protowire.Number][]any {
		return fieldsOf(t, fields[number][0].([]byte))
	}
	tag = string(fields[valueTag][0].([]byte))
	switch {
	case fields[valueSimple] != nil:
		value = fmt.Sprint(math.Float32frombits(uint32(fields[valueSimple][0].(uint64))))
	case fields[valueImage] != nil:
		i := inner(valueImage)
		value = fmt.Sprintf("image %dx%d", i[imageWidth][0], i[imageHeight][0])
	case fields[valueHistogram] != nil:
		h := inner(valueHistogram)
		value = fmt.Sprintf("histogram of %g, sum %.6g", math.Float64frombits(h[histogramNum][0].(uint64)), math.Float64frombits(h[histogramSum][0].(uint64)))
	case fields[valueTensor] != nil:
		value = string(inner(valueTensor)[tensorString][0].([]byte))
	default:
		value = string(fieldsOf(t, inner(valueMetadata)[metadataPlugin][0].([]byte))[pluginContent][0].([]byte))
	}
	return tag, value
}
