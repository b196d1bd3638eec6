# Prints as JSON what TensorBoard reads of the event files in a folder.
import base64
import io
import json
import sys

from PIL import Image
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.hparams import plugin_data_pb2

a = event_accumulator.EventAccumulator(sys.argv[1], size_guidance={k: 0 for k in event_accumulator.DEFAULT_SIZE_GUIDANCE})
a.Reload()
tags = a.Tags()


def size(encoded):
    image = Image.open(io.BytesIO(encoded))
    image.load()
    return list(image.size)


def plain(v):
    return {"bool_value": lambda: v.bool_value, "number_value": lambda: v.number_value, "string_value": lambda: v.string_value}[v.WhichOneof("kind")]()


hparams, end, metrics = {}, None, []
for tag in ("_hparams_/experiment", "_hparams_/session_start_info", "_hparams_/session_end_info"):
    if tag not in a.SummaryMetadata.__self__.summary_metadata:
        continue
    data = plugin_data_pb2.HParamsPluginData.FromString(a.SummaryMetadata(tag).plugin_data.content)
    hparams.update({k: plain(v) for k, v in data.session_start_info.hparams.items()})
    metrics += [m.name.tag for m in data.experiment.metric_infos]
    if data.HasField("session_end_info"):
        end = data.session_end_info.status
print(json.dumps({
    "scalars": {t: [[e.step, e.value, e.wall_time] for e in a.Scalars(t)] for t in tags["scalars"]},
    "histograms": {t: [[e.step, e.histogram_value.num, e.histogram_value.sum] for e in a.Histograms(t)] for t in tags["histograms"]},
    "images": {t: [[e.step, *size(e.encoded_image_string)] for e in a.Images(t)] for t in tags["images"]},
    "texts": {t: [[e.step, e.tensor_proto.string_val[0].decode()] for e in a.Tensors(t)]
              for t in a.PluginTagToContent("text")},
    "hparams": hparams, "metrics": metrics, "end": end,
}))
