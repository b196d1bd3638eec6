package torch

// Mailbox brings numbers from a device to the host without making it wait for them.
type Mailbox struct {
	device Device
	boxes  [2]Tensor // float64 on the host
	turn   int
}

// NewMailbox makes a mailbox in the present scope for tensors of d with at most n elements.
func NewMailbox(d Device, n int) *Mailbox {
	if n < 1 {
		Misuse("mailbox", "room for %d elements, want 1 or more", n)
	}
	m := &Mailbox{device: d}
	for i := range m.boxes {
		m.boxes[i] = Empty([]int{n}, Options{Dtype: Float64})
		if m.waits() {
			Scoped(func() { m.boxes[i] = Keep(Call("aten::pin_memory", m.boxes[i])[0]) })
		}
	}
	return m
}

// waits tells whether numbers come later than Post returns.
func (m *Mailbox) waits() bool { return HasGraphs && m.device.IsCUDA() }

// Post begins to copy the elements of t [k], converted to float64, to the host, behind all that is queued. read waits
// until they are there, and returns them. It has to be called once, before the second Post after this one. Post panics
// with *Error if t has another number of dimensions, or too many elements.
func (m *Mailbox) Post(t Tensor) (read func() []float64) {
	refuseRead("mailbox")
	if shape := t.Shape(); len(shape) != 1 || shape[0] > m.boxes[0].Size(0) {
		Misuse("mailbox", "elements %v, want one dimension of at most %d", shape, m.boxes[0].Size(0))
	}
	box := m.boxes[m.turn]
	m.turn = (m.turn + 1) % len(m.boxes)
	n := t.Size(0)
	var behind mark
	NoGrad(func() { Scoped(func() { Call("aten::copy_", box.Narrow(0, 0, n), t, m.waits()) }) })
	if m.waits() {
		behind = markNow(m.device)
	}
	return func() (numbers []float64) {
		if m.waits() {
			behind.wait()
		}
		Scoped(func() { numbers = box.Narrow(0, 0, n).Float64s() })
		return numbers
	}
}

// Free frees the mailbox's memory. What was posted and not read is lost.
func (m *Mailbox) Free() {
	for _, box := range m.boxes {
		box.Free()
	}
}
