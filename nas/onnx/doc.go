// Package onnx writes trained networks as ONNX models, which other programs run: ONNX Runtime, OpenVINO,
// TensorRT, or a browser.
//
// ONNX describes a network as a graph: nodes apply operators to named tensors, and initializers hold the
// weights. The file is one protocol-buffer message. [Images] and [Language] build the graph of a network
// from the description of its cells and from its weights; both check the graph and return the file.
//
// Weights keep the names of the reference's state dict. Nodes and their results have the names of the
// modules that compute them, so that a viewer such as Netron shows where in the network a node is:
//
//	cells.0._ops.3.op.1            the depthwise convolution of edge 3 of cell 0
//	cells.0._ops.3.op.1.weight     its weight
//	cells.0.state_2                the first node of cell 0: the sum of its two edges
//	cells.0                        the cell's output
//
// The package knows no libtorch: weights come as slices. Equal networks give equal bytes.
package onnx

// Versions of the format. Opset 17 and version 8 of the representation are those of ONNX 1.12 (June 2022),
// which ONNX Runtime reads since 1.12 (July 2022).
const (
	irVersion    = 8
	opsetVersion = 17
	producer     = "godarts"
)

// Options say what a file has besides the network.
type Options struct {
	Fold    bool // join each batch norm with the convolution before it, which saves time
	Softmax bool // the output is probabilities in place of logits
}

// Names of inputs and outputs.
const (
	ImagesInput         = "images"        // float [batch, channels, size, size], pixels from 0 to 1
	TokensInput         = "tokens"        // int64 [steps, columns]
	HiddenInput         = "hidden"        // float [1, columns, units], zeros before the first token
	LogitsOutput        = "logits"        // float [batch, classes], or [steps, columns, words]
	ProbabilitiesOutput = "probabilities" // their softmax, with Options.Softmax
	HiddenOutput        = "hidden_out"    // the state after the last token, which the next call takes
)
