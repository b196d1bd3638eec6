def read(path):
    """The tensors of a safetensors file by their names, and what the file says of its network."""
    content = pathlib.Path(path).read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    about = json.loads(header.pop("__metadata__")["darts"])
    types = {"F32": torch.float32, "F64": torch.float64}
    tensors = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        data = bytearray(content[8 + size + first : 8 + size + last])
        tensors[name] = torch.frombuffer(data, dtype=types[entry["dtype"]]).reshape(entry["shape"])
    return tensors, about


def load(path=pathlib.Path(__file__).with_name("weights.safetensors")):
    """The network of a file, in evaluation mode, and what the file says of it."""
    tensors, about = read(path)
    model = Network(about).to(next(iter(tensors.values())).dtype)
    model.load_state_dict(tensors)
    return model.eval(), about
