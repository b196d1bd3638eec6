package onnx

import "google.golang.org/protobuf/encoding/protowire"

// Numbers of fields and values of enumerations, from onnx/onnx.proto of ONNX 1.12. The format never
// changes them.
const (
	modelIRVersion    protowire.Number = 1
	modelProducerName protowire.Number = 2
	modelDoc          protowire.Number = 6
	modelGraph        protowire.Number = 7
	modelOpsetImport  protowire.Number = 8
	modelMetadata     protowire.Number = 14

	opsetDomain protowire.Number = 1
	opsetNumber protowire.Number = 2

	entryKey   protowire.Number = 1
	entryValue protowire.Number = 2

	graphNode        protowire.Number = 1
	graphName        protowire.Number = 2
	graphInitializer protowire.Number = 5
	graphInput       protowire.Number = 11
	graphOutput      protowire.Number = 12
	graphValueInfo   protowire.Number = 13

	nodeInput     protowire.Number = 1
	nodeOutput    protowire.Number = 2
	nodeName      protowire.Number = 3
	nodeOpType    protowire.Number = 4
	nodeAttribute protowire.Number = 5

	attributeName  protowire.Number = 1
	attributeFloat protowire.Number = 2
	attributeInt   protowire.Number = 3
	attributeGraph protowire.Number = 6
	attributeInts  protowire.Number = 8
	attributeType  protowire.Number = 20

	tensorDims    protowire.Number = 1
	tensorType    protowire.Number = 2
	tensorName    protowire.Number = 8
	tensorRawData protowire.Number = 9

	valueName protowire.Number = 1
	valueType protowire.Number = 2
	valueDoc  protowire.Number = 3

	typeTensor     protowire.Number = 1
	tensorTypeElem protowire.Number = 1
	tensorTypeDims protowire.Number = 2
	shapeDim       protowire.Number = 1
	dimValue       protowire.Number = 1
	dimParam       protowire.Number = 2
)

// attributeKind is AttributeProto.AttributeType.
type attributeKind uint64

const (
	floatAttribute attributeKind = 1
	intAttribute   attributeKind = 2
	graphAttribute attributeKind = 5
	intsAttribute  attributeKind = 7
)

// elementType is TensorProto.DataType.
type elementType uint64

const (
	float32Element elementType = 1
	uint8Element   elementType = 2
	int8Element    elementType = 3
	int32Element   elementType = 6
	int64Element   elementType = 7
)

// size returns the bytes of an element.
func (e elementType) size() int {
	return map[elementType]int{float32Element: 4, uint8Element: 1, int8Element: 1, int32Element: 4, int64Element: 8}[e]
}
