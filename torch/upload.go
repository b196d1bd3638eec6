package torch

// Upload is t, which lies on the host, on the device d. The host does not wait for a GPU: the copy goes from pinned
// memory, behind what is queued there. On the CPU it is t.
func (t Tensor) Upload(d Device) (there Tensor) {
	refuseMove("upload", t.Device(), d)
	if !d.IsCUDA() {
		return t
	}
	Scoped(func() {
		NoGrad(func() {
			last := t.Dim() == 4 && t.IsChannelsLast()
			from := t
			if last {
				from = t.Permute(0, 2, 3, 1) // as it lies in memory
			}
			pinned := Call("aten::pin_memory", from.Contiguous())[0]
			there = Empty(from.Shape(), Options{Dtype: t.Dtype(), Device: d})
			Call("aten::copy_", there, pinned, true)
			if last {
				there = there.Permute(0, 3, 1, 2)
			}
			Keep(there)
		})
	})
	return there
}
