package tensorboard

import (
	"bytes"
	"fmt"
	"image/png"
	"strings"
)

// event returns an event with a summary of these values.
func event(wall float64, step int, values []message) message {
	var summary message
	for _, v := range values {
		summary = summary.bytes(summaryValue, v)
	}
	return stamp(wall, step).bytes(eventSummary, summary)
}

// stamp returns an event without content. Step 0 is written by leaving it out.
func stamp(wall float64, step int) message {
	m := message(nil).double(eventWallTime, wall)
	if step != 0 {
		m = m.varint(eventStep, uint64(step))
	}
	return m
}

// versionEvent returns the first event of a file.
func versionEvent(wall float64) message {
	return stamp(wall, 0).text(eventFileVersion, "brain.Event:2")
}

// restartEvent returns an event that tells a reader to forget all steps from 0 on, which it has read from
// an earlier file.
func restartEvent(wall float64) message {
	return stamp(wall, 0).bytes(eventSessionLog, message(nil).varint(sessionLogStatus, 1))
}

// scalar returns a value that TensorBoard draws as a point of a curve.
func scalar(tag string, v float64) message {
	return message(nil).text(valueTag, tag).float(valueSimple, float32(v))
}

// bins is the number of buckets that a histogram has between 0 and 1.
const bins = 40

// histogram returns the distribution of shares, which lie between 0 and 1; there is at least one. The
// buckets begin with that of the least share and end with that of the greatest, since readers put these
// two in place of the outer edges.
func histogram(tag string, shares []float64) message {
	least, most, sum, squares := shares[0], shares[0], 0.0, 0.0
	var counts [bins]float64
	for _, p := range shares {
		least, most = min(least, p), max(most, p)
		sum += p
		squares += p * p
		counts[bucket(p)]++
	}
	first, last := bucket(least), bucket(most)
	var limits []float64
	for i := first; i <= last; i++ {
		limits = append(limits, float64(i+1)/bins)
	}
	h := message(nil).double(histogramMin, least).double(histogramMax, most).double(histogramNum, float64(len(shares))).
		double(histogramSum, sum).double(histogramSquares, squares).
		doubles(histogramLimit, limits).doubles(histogramCount, counts[first:last+1])
	return message(nil).text(valueTag, tag).bytes(valueHistogram, h)
}

// bucket returns the index of the bucket that p lies in.
func bucket(p float64) int { return min(max(int(p*bins), 0), bins-1) }

// picture returns an image in PNG.
func picture(tag string, encoded []byte) (message, error) {
	about, err := png.DecodeConfig(bytes.NewReader(encoded))
	if err != nil {
		return nil, fmt.Errorf("tensorboard: image %s: %w", tag, err)
	}
	i := message(nil).varint(imageHeight, uint64(about.Height)).varint(imageWidth, uint64(about.Width)).
		varint(imageColours, 4).bytes(imageEncoded, encoded)
	return message(nil).text(valueTag, tag).bytes(valueImage, i), nil
}

// text returns a text, which TensorBoard shows as Markdown.
func text(tag, markdown string) message {
	shape := message(nil).bytes(shapeDim, message(nil).varint(dimSize, 1))
	tensor := message(nil).varint(tensorDtype, 7).bytes(tensorShape, shape).text(tensorString, markdown)
	// The suffix is PyTorch's; some importers look for it.
	return message(nil).text(valueTag, tag+"/text_summary").bytes(valueTensor, tensor).bytes(valueMetadata, plugin("text", nil))
}

// verbatim returns Markdown that shows lines as they are.
func verbatim(lines string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(lines, "\n"), "\n", "\n    ")
}

// plugin returns the metadata of a value for a plugin of TensorBoard.
func plugin(name string, content []byte) message {
	p := message(nil).text(pluginName, name)
	if len(content) > 0 {
		p = p.bytes(pluginContent, content)
	}
	return message(nil).bytes(metadataPlugin, p)
}

// clean returns s with every character replaced by _ that tags of other programs do not allow.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '_', r == '-', r == '.':
			return r
		}
		return '_'
	}, s)
}
