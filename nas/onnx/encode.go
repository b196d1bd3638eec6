package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// message is a protocol-buffer message as it is written.
type message []byte

func (m *message) varint(field protowire.Number, v uint64) {
	*m = protowire.AppendVarint(protowire.AppendTag(*m, field, protowire.VarintType), v)
}

func (m *message) text(field protowire.Number, s string) {
	*m = protowire.AppendString(protowire.AppendTag(*m, field, protowire.BytesType), s)
}

func (m *message) bytes(field protowire.Number, b []byte) {
	*m = protowire.AppendBytes(protowire.AppendTag(*m, field, protowire.BytesType), b)
}

// mostBytes is the limit of protocol buffers for a message.
const mostBytes = math.MaxInt32

// encode returns the file of m. It returns an error if its weights do not fit into one file.
func (m *model) encode() ([]byte, error) {
	if err := checkSize(m.graph.elements()); err != nil {
		return nil, err
	}
	var file, opset message
	file.varint(modelIRVersion, irVersion)
	file.text(modelProducerName, producer)
	file.text(modelDoc, m.doc)
	file.bytes(modelGraph, m.graph.encode())
	opset.text(opsetDomain, "")
	opset.varint(opsetNumber, opsetVersion)
	file.bytes(modelOpsetImport, opset)
	for _, p := range m.metadata {
		var entry message
		entry.text(entryKey, p.key)
		entry.text(entryValue, p.value)
		file.bytes(modelMetadata, entry)
	}
	if len(file) > mostBytes {
		return nil, tooLarge(len(file))
	}
	return file, nil
}

// checkSize returns an error for more elements of weights than one file holds.
func checkSize(elements int) error {
	const bytesPerElement = 4
	if elements > mostBytes/bytesPerElement {
		return tooLarge(bytesPerElement * elements)
	}
	return nil
}

func tooLarge(bytes int) error {
	return fmt.Errorf("the network takes %d bytes, an ONNX file holds at most %d", bytes, mostBytes)
}

// elements returns the number of elements of all initializers.
func (g *graph) elements() (n int) {
	for _, t := range g.initializers {
		n += numel(t.Shape)
	}
	return n
}

func (g *graph) encode() message {
	var m message
	for i := range g.nodes {
		m.bytes(graphNode, g.nodes[i].encode())
	}
	m.text(graphName, g.name)
	for _, t := range g.initializers {
		m.bytes(graphInitializer, t.encode())
	}
	for _, p := range g.inputs {
		m.bytes(graphInput, p.encode())
	}
	for _, p := range g.outputs {
		m.bytes(graphOutput, p.encode())
	}
	for _, p := range g.values {
		m.bytes(graphValueInfo, p.encode())
	}
	return m
}

func (n *node) encode() message {
	var m message
	for _, name := range n.inputs {
		m.text(nodeInput, name)
	}
	for _, name := range n.outputs {
		m.text(nodeOutput, name)
	}
	m.text(nodeName, n.name)
	m.text(nodeOpType, n.op)
	for _, a := range n.attributes {
		m.bytes(nodeAttribute, a.encode())
	}
	return m
}

func (a Attribute) encode() message {
	var m message
	m.text(attributeName, a.name)
	switch a.kind {
	case floatAttribute:
		m = protowire.AppendTag(m, attributeFloat, protowire.Fixed32Type)
		m = protowire.AppendFixed32(m, math.Float32bits(a.f))
	case intAttribute:
		m.varint(attributeInt, uint64(a.i))
	case intsAttribute:
		for _, i := range a.ints {
			m.varint(attributeInts, uint64(i))
		}
	case graphAttribute:
		m.bytes(attributeGraph, a.body.encode())
	}
	m.varint(attributeType, uint64(a.kind))
	return m
}

// encode writes elements as raw data, little endian.
func (t Tensor) encode() message {
	var m message
	for _, n := range t.Shape {
		m.varint(tensorDims, uint64(n))
	}
	element, n := t.element()
	m.varint(tensorType, uint64(element))
	m.text(tensorName, t.Name)
	raw := append(make([]byte, 0, n*element.size()), t.raw...)
	for _, v := range t.Floats {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	for _, v := range t.ints {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	m.bytes(tensorRawData, raw)
	return m
}

func (p port) encode() message {
	var shape, tensor, kind, m message
	for _, d := range p.shape {
		var of message
		if d.name != "" {
			of.text(dimParam, d.name)
		} else {
			of.varint(dimValue, uint64(d.size))
		}
		shape.bytes(shapeDim, of)
	}
	tensor.varint(tensorTypeElem, uint64(p.element))
	tensor.bytes(tensorTypeDims, shape)
	kind.bytes(typeTensor, tensor)
	m.text(valueName, p.name)
	m.bytes(valueType, kind)
	if p.doc != "" {
		m.text(valueDoc, p.doc)
	}
	return m
}
