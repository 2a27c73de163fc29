"""The model of the stand-in: what a YOLOv5 checkout's models/yolo.py offers to those who load or build a model."""
import models.common  # noqa: F401
import torch
import torch_model
import yaml
from torch_modules import Detect

Detect.__module__ = __name__


class DetectionModel(torch_model.Model):
    """A model of a YAML file, with the attributes that YOLOv5's has; in eval mode it gives its output and the head's maps."""

    def __init__(self, cfg):
        with open(cfg, encoding="utf-8") as file:
            self_yaml = yaml.safe_load(file)
        built = torch_model.build(self_yaml)
        super().__init__(list(built.model), built.sources)
        self.yaml = self_yaml
        self.names = {i: f"class{i}" for i in range(self_yaml["nc"])}
        self.stride = torch.tensor(self.model[-1].stride)
        for i, (layer, source) in enumerate(zip(self.model, self.sources)):
            layer.i, layer.f, layer.type = i, source, f"models.common.{type(layer).__name__}"

    def forward(self, x):
        print("a training code may print what it likes")
        maps = self.run(x)
        return self.model[-1](maps), maps


Model = DetectionModel
