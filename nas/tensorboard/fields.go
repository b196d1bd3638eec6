package tensorboard

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of the messages in use. Those without another source are of the files in
// tensorboard/compat/proto of TensorBoard 2.21; the numbers of a released message never change.
const (
	eventWallTime    = 1 // double, seconds since 1970; event.proto
	eventStep        = 2 // int64
	eventFileVersion = 3 // string
	eventSummary     = 5
	eventSessionLog  = 7

	sessionLogStatus = 1 // enum: 1 is START; event.proto

	summaryValue     = 1 // repeated; summary.proto
	valueTag         = 1
	valueSimple      = 2 // float
	valueImage       = 4
	valueHistogram   = 5
	valueTensor      = 8
	valueMetadata    = 9
	metadataPlugin   = 1
	pluginName       = 1
	pluginContent    = 2
	imageHeight      = 1
	imageWidth       = 2
	imageColours     = 3 // 4 is RGBA
	imageEncoded     = 4
	histogramMin     = 1 // double, as all of a histogram; histogram.proto
	histogramMax     = 2
	histogramNum     = 3
	histogramSum     = 4
	histogramSquares = 5
	histogramLimit   = 6 // packed: the right edges of the buckets
	histogramCount   = 7 // packed

	tensorDtype  = 1 // enum: 7 is DT_STRING; tensor.proto and types.proto
	tensorShape  = 2
	tensorString = 8
	shapeDim     = 2 // tensor_shape.proto
	dimSize      = 1

	// tensorboard/plugins/hparams/plugin_data.proto
	hparamsExperiment = 2
	hparamsStart      = 3
	hparamsEnd        = 4
	startHparams      = 1 // map from string to google.protobuf.Value
	startTime         = 5 // double
	endStatus         = 1 // enum Status
	endTime           = 2 // double
	mapKey            = 1
	mapValue          = 2

	// tensorboard/plugins/hparams/api.proto
	experimentHparam = 4 // repeated
	experimentMetric = 5 // repeated
	hparamName       = 1
	hparamType       = 4 // enum DataType
	metricName       = 1
	metricTitle      = 3
	nameTag          = 2

	// google/protobuf/struct.proto
	valueNumber = 2 // double
	valueString = 3
	valueBool   = 4
)

// message is the encoding of a message. Its fields are appended in the order of their numbers, as other
// writers of protocol buffers do.
type message []byte

func (m message) varint(field protowire.Number, v uint64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), v)
}

func (m message) double(field protowire.Number, v float64) message {
	return protowire.AppendFixed64(protowire.AppendTag(m, field, protowire.Fixed64Type), math.Float64bits(v))
}

func (m message) float(field protowire.Number, v float32) message {
	return protowire.AppendFixed32(protowire.AppendTag(m, field, protowire.Fixed32Type), math.Float32bits(v))
}

func (m message) text(field protowire.Number, v string) message {
	return protowire.AppendString(protowire.AppendTag(m, field, protowire.BytesType), v)
}

func (m message) bytes(field protowire.Number, v []byte) message {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), v)
}

// doubles appends a packed field.
func (m message) doubles(field protowire.Number, values []float64) message {
	var packed []byte
	for _, v := range values {
		packed = protowire.AppendFixed64(packed, math.Float64bits(v))
	}
	return m.bytes(field, packed)
}
