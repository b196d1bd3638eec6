# Writes recorded.tfevents by TensorBoard's own classes: an event of each kind that the package writes.
import sys

from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

WALL = 1700000000.25


def event(step=0, **content):
    return event_pb2.Event(wall_time=WALL, step=step, **content)


def metadata(plugin, content=b""):
    data = summary_pb2.SummaryMetadata.PluginData(plugin_name=plugin, content=content)
    return summary_pb2.SummaryMetadata(plugin_data=data)


def hparams(tag, **content):
    data = plugin_data_pb2.HParamsPluginData(**content).SerializeToString(deterministic=True)
    return summary_pb2.Summary.Value(tag=tag, metadata=metadata("hparams", data))


def info(name, kind):
    return api_pb2.HParamInfo(name=name, type=kind)


experiment = api_pb2.Experiment(
    hparam_infos=[info("strategy.name", api_pb2.DATA_TYPE_STRING), info("w.lr", api_pb2.DATA_TYPE_FLOAT64),
                  info("data.augment", api_pb2.DATA_TYPE_BOOL)],
    metric_infos=[api_pb2.MetricInfo(name=api_pb2.MetricName(tag="loss/valid"), display_name="loss/valid")])
start = plugin_data_pb2.SessionStartInfo(start_time_secs=WALL)
start.hparams["data.augment"].bool_value = True
start.hparams["strategy.name"].string_value = "darts"
start.hparams["w.lr"].number_value = 0.025
end = plugin_data_pb2.SessionEndInfo(status=api_pb2.STATUS_SUCCESS, end_time_secs=WALL)
histogram = summary_pb2.HistogramProto(
    min=0.01, max=0.09, num=3, sum=0.01 + 0.06 + 0.09, sum_squares=0.01 * 0.01 + 0.06 * 0.06 + 0.09 * 0.09,
    bucket_limit=[1 / 40, 2 / 40, 3 / 40, 4 / 40], bucket=[1, 0, 1, 1])
png = open(sys.argv[1] + "/dot.png", "rb").read()
image = summary_pb2.Summary.Image(height=2, width=3, colorspace=4, encoded_image_string=png)
text = tensor_pb2.TensorProto(
    dtype=7, string_val=[b"    Genotype(...)"],
    tensor_shape=tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=1)]))
value = summary_pb2.Summary.Value
events = [
    event(file_version="brain.Event:2"),
    event(session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START)),
    event(summary=summary_pb2.Summary(value=[
        hparams("_hparams_/experiment", experiment=experiment),
        hparams("_hparams_/session_start_info", session_start_info=start),
        value(tag="genotype/text_summary", metadata=metadata("text"), tensor=text)])),
    event(300, summary=summary_pb2.Summary(value=[
        value(tag="loss/train", simple_value=0.1),
        value(tag="alpha_normal/edge_0_2", histo=histogram),
        value(tag="cell/normal", image=image),
        hparams("_hparams_/session_end_info", session_end_info=end)])),
]
with open(sys.argv[1] + "/recorded.tfevents", "wb") as out:
    writer = RecordWriter(out)
    for e in events:
        writer.write(e.SerializeToString(deterministic=True))
    writer.flush()
