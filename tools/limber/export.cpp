// limber export CONFIG CHECKPOINT -o FILE: a trained model as one file for inference.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "graph/calibrate.h"
#include "graph/compile.h"
#include "graph/onnx/onnx_writer.h"
#include "graph/passes/passes.h"
#include "infer/model_file.h"
#include "pose/engine/evaluate.h"
#include "tensor/write_file.h"
#include "tools/limber/commands.h"

namespace limber::tool {
namespace fs = std::filesystem;

namespace {

struct Arguments {
  ConfigArguments config;
  std::string checkpoint, out, format = "limber", weights = "f32";
  int64_t calibrate = 64;
  std::vector<int64_t> batches{1};
  std::vector<int64_t> shape;
};

// The node of a type in the test pipeline; null where there is none.
Config step_of(const Config& pipeline, std::string_view type) {
  for (size_t i = 0; i < pipeline.size(); ++i)
    if (pipeline.at(i).type() == type) return pipeline.at(i);
  return {};
}

Preprocessing preprocessing_of(const Config& config) {
  const Config pipeline = test_dataset(config).at("pipeline");
  const Config box = step_of(pipeline, "GetBBoxCenterScale");
  const Config warp = step_of(pipeline, "TopdownAffine");
  check_input(!box.is_null() && !warp.is_null(), config.where(),
              ": the test pipeline has no GetBBoxCenterScale or no TopdownAffine: only top-down "
              "models become .limber files");
  const auto size = warp.get<std::array<int, 2>>("input_size");
  const Config normal = config.at("model").at("data_preprocessor");
  Preprocessing p;
  p.width = size[0], p.height = size[1];
  p.padding = box.get("padding", 1.25);
  p.udp = warp.get("use_udp", false);
  p.rgb = normal.get("bgr_to_rgb", false);
  if (normal.has("mean")) {
    p.mean = normal.get<std::array<float, 3>>("mean");
    p.deviation = normal.get<std::array<float, 3>>("std");
  }
  return p;
}

DecoderOptions decoder_of(const Config& head) {
  check_input(head.has("decoder"), head.where(), ": no decoder: its file would find nothing");
  const Config codec = head.at("decoder");
  const std::string type = codec.type();
  DecoderOptions d;
  d.blur_kernel = codec.get("blur_kernel_size", 11);
  if (type == "MSRAHeatmap") {
    d.kind = codec.get("unbiased", false) ? Decoding::dark : Decoding::heatmap;
  } else if (type == "UDPHeatmap" &&
             codec.get<std::string>("heatmap_type", "gaussian") == std::string("gaussian")) {
    d.kind = Decoding::udp;
  } else if (type == "MegviiHeatmap") {
    d.kind = Decoding::megvii;
    d.blur_kernel = codec.get<int>("kernel_size");
  } else if (type == "SimCCLabel" && !codec.get("use_dark", false)) {
    d.kind = Decoding::simcc;
    d.split_ratio = codec.get("simcc_split_ratio", 2.0);
  } else if (type == "RegressionLabel" || type == "IntegralRegressionLabel") {
    d.kind = head.type() == "RLEHead" ? Decoding::deviations : Decoding::coordinates;
  } else {
    codec.fail("a .limber file cannot hold the decoding of ", type,
               " with these options; MSRAHeatmap, MegviiHeatmap, UDPHeatmap (gaussian), SimCCLabel "
               "(without use_dark), RegressionLabel and IntegralRegressionLabel it can");
  }
  return d;
}

// What the decoder reads: the last maps of heads with several stages, the first outputs of others.
void keep_decoded(Graph& graph, Decoding kind, const std::string& head) {
  const size_t count = kind == Decoding::simcc ? 2 : 1;
  check_input(graph.outputs.size() >= count, "export: the model has ", graph.outputs.size(),
              " outputs");
  const bool last = head == "CPMHead" || head == "MSPNHead";
  const auto begin = last ? graph.outputs.size() - count : 0;
  const auto first = std::ptrdiff_t(begin), past = std::ptrdiff_t(begin + count);
  graph.outputs = {graph.outputs.begin() + first, graph.outputs.begin() + past};
  graph.output_names = {graph.output_names.begin() + first, graph.output_names.begin() + past};
}

Graph graph_of(const Model& model, const Shape& shape) {
  const Tensor input = Tensor::full(shape, 0.5);
  return compile([&](std::span<const Tensor> in) { return model.estimator->forward(in[0]); },
                 {&input, 1});
}

// The training data as the test pipeline reads it, in random order.
Config calibration_data(const Config& config, int64_t batch) {
  Config train = config.at("train_dataloader").at("dataset");
  while (!train.has("ann_file") && train.has("dataset")) train = train.at("dataset");
  Config dataset = test_dataset(config).clone();
  dataset.erase("bbox_file");  // boxes found in other pictures
  for (const char* key : {"data_root", "ann_file", "data_prefix"})
    if (train.has(key)) dataset.set(key, train.at(key));
  Config sampler = Config::object(), loader = Config::object();
  sampler.set("type", Config::value("DefaultSampler"));
  sampler.set("shuffle", Config::value(true));
  loader.set("batch_size", Config::value(batch));
  loader.set("drop_last", Config::value(true));
  loader.set("sampler", sampler);
  loader.set("dataset", dataset);
  return loader;
}

// What int8 layers read, seen on a.calibrate samples; without a checkpoint of random numbers, since
// such a file is there to measure with.
Calibration calibrated(const Arguments& a, const Config& config, const Model& model,
                       const Graph& graph) {
  Calibration calibration(graph);
  const Shape& shape = graph.values[size_t(graph.inputs[0])].spec.shape;
  if (a.checkpoint.empty()) {
    Random random(0);
    Tensor input = Tensor::empty(shape);
    for (float& v : input.span<float>()) v = float(random.normal());
    calibration.add({&input, 1});
    return calibration;
  }
  const auto loader = make_loader(calibration_data(config, shape[0]), 0);
  loader->start(0);
  int64_t seen = 0;
  while (seen < a.calibrate) {
    std::optional<std::vector<DataSample>> batch = loader->next();
    check_input(batch || seen > 0, "calibrate: the training set has no ", shape[0], " samples");
    if (!batch) break;
    const Tensor input = (*model.preprocessor)(*batch, /*training=*/false);
    calibration.add({&input, 1});
    seen += shape[0];
  }
  return calibration;
}

void write_limber(const Arguments& a, const Config& config, const Model& model) {
  const Config head = config.at("model").at("head");
  InferenceModel file;
  file.name = fs::path(a.config.file).stem();
  file.input = preprocessing_of(config);
  file.decoder = decoder_of(head);
  file.keypoints = described_metainfo(test_dataset(config)).keypoint_names;
  std::vector<int64_t> batches = a.batches;
  std::ranges::sort(batches);
  for (int64_t n : batches) {
    Graph graph = graph_of(model, {n, file.input.height, file.input.width, 3});
    keep_decoded(graph, file.decoder.kind, head.type());
    remove_dead(graph);
    file.graphs.push_back(std::move(graph));
  }
  if (a.weights == "int8") {
    const Calibration calibration = calibrated(a, config, model, file.graphs[0]);
    for (Graph& graph : file.graphs) calibration.apply(graph);
  }
  const kernels::Precision precision = a.weights == "int8"   ? kernels::Precision::int8
                                       : a.weights == "bf16" ? kernels::Precision::bf16
                                                             : kernels::Precision::f32;
  for (Graph& graph : file.graphs) narrow_weights(graph, precision);
  write_model(a.out, file);
  read_model(a.out);  // what was written must pass the reader's checks
}

void run(const Arguments& a) {
  const Config config = a.config.load();
  const Model model = build_model(config, 0, /*initialise=*/a.checkpoint.empty());
  if (!a.checkpoint.empty()) load_model(model, a.checkpoint);
  if (a.format == "safetensors") {
    save_weights(*model.store, a.out);
  } else if (a.format == "onnx") {
    const auto shape = input_shape(config, a.shape);
    const Graph graph = graph_of(model, {a.batches[0], shape[0], shape[1], 3});
    write_file_atomically(a.out, onnx_model(graph, fs::path(a.config.file).stem()));
  } else {
    write_limber(a, config, model);
  }
  fmt::print("{}: {:.2f} MB\n", a.out, double(fs::file_size(a.out)) / 1e6);
}

}  // namespace

void add_export(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("export", "write a trained model as one file for inference");
  const auto a = std::make_shared<Arguments>();
  a->config.add_file(*command);
  command->add_option("checkpoint", a->checkpoint,
                      "weights (.safetensors, .pth); without: random ones, to measure with");
  command->add_option("-o,--out", a->out, "the file to write")->required();
  command
      ->add_option("--format", a->format,
                   "limber: graph, weights, preprocessing and decoding; "
                   "onnx: the network, opset 17; safetensors: the weights")
      ->check(CLI::IsMember({"limber", "onnx", "safetensors"}))
      ->capture_default_str();
  command
      ->add_option("--weights", a->weights,
                   "in what a .limber file holds weights, and multiplies where the processor can")
      ->check(CLI::IsMember({"f32", "bf16", "int8"}))
      ->capture_default_str();
  command
      ->add_option("--calibrate", a->calibrate,
                   "samples of the training set whose ranges int8 is fitted to")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--batch", a->batches, "boxes at a time: a plan each; ONNX takes the first")
      ->check(CLI::PositiveNumber);
  command->add_option("--shape", a->shape, "rows and columns of an ONNX file's input")
      ->expected(1, 2)
      ->check(CLI::PositiveNumber);
  a->config.add_options(*command);
  command->callback([a] { run(*a); });
}

}  // namespace limber::tool
