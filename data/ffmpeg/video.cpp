// Videos through libavformat (files), libavcodec (frames) and libswscale (colours).
#include "data/video.h"

#include <cmath>
#include <string_view>

#include "data/image.h"
#include "tensor/error.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
}

namespace limber {
namespace {

std::string reason(int code) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(code, text, sizeof(text));
  return text;
}

struct FreePacket {
  void operator()(AVPacket* p) const { av_packet_free(&p); }
};
struct FreeFrame {
  void operator()(AVFrame* f) const { av_frame_free(&f); }
};
struct FreeCodec {
  void operator()(AVCodecContext* c) const { avcodec_free_context(&c); }
};
struct FreeScaler {
  void operator()(SwsContext* s) const { sws_freeContext(s); }
};
using Packet = std::unique_ptr<AVPacket, FreePacket>;
using Frame = std::unique_ptr<AVFrame, FreeFrame>;
using Codec = std::unique_ptr<AVCodecContext, FreeCodec>;
using Scaler = std::unique_ptr<SwsContext, FreeScaler>;

// The EXIF orientation that turns a stream's frames upright.
int orientation_of(const AVStream& stream) {
  const uint8_t* matrix = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, nullptr);
  if (matrix == nullptr) return 1;
  const double counterclockwise = av_display_rotation_get(reinterpret_cast<const int32_t*>(matrix));
  const int quarters = int(std::lround(-counterclockwise / 90)) & 3;
  constexpr int kOrientation[] = {1, 6, 3, 8};
  return kOrientation[quarters];
}

}  // namespace

struct VideoReader::State {
  std::string path;
  AVFormatContext* file = nullptr;
  Codec codec;
  Scaler scaler;
  Packet packet{av_packet_alloc()};
  Frame frame{av_frame_alloc()};
  int stream = -1, orientation = 1;
  double rate = 25;
  bool drained = false;

  ~State() { avformat_close_input(&file); }

  // Gives the decoder the next packet of the stream, or the end.
  void feed() {
    while (av_read_frame(file, packet.get()) >= 0) {
      const bool wanted = packet->stream_index == stream;
      if (wanted) avcodec_send_packet(codec.get(), packet.get());
      av_packet_unref(packet.get());
      if (wanted) return;
    }
    drained = true;
    avcodec_send_packet(codec.get(), nullptr);
  }

  Tensor image() {
    const int64_t H = frame->height, W = frame->width;
    check_input(H > 0 && W > 0 && H * W <= kMaxImagePixels, path, ": absurd frames, ", W, " x ", H);
    scaler.reset(sws_getCachedContext(scaler.release(), frame->width, frame->height,
                                      AVPixelFormat(frame->format), frame->width, frame->height,
                                      AV_PIX_FMT_BGR24, SWS_BILINEAR, nullptr, nullptr, nullptr));
    check_input(scaler != nullptr, path, ": frames of a format without conversion");
    const Tensor out = Tensor::empty({H, W, 3}, DType::u8);
    uint8_t* rows[4] = {out.data<uint8_t>()};
    const int strides[4] = {int(3 * W)};
    sws_scale(scaler.get(), frame->data, frame->linesize, 0, frame->height, rows, strides);
    return oriented(out, orientation);
  }
};

VideoReader::VideoReader(const std::string& path) : state_(std::make_unique<State>()) {
  av_log_set_level(AV_LOG_FATAL);
  State& s = *state_;
  s.path = path;
  int code = avformat_open_input(&s.file, path.c_str(), nullptr, nullptr);
  check_input(code >= 0, path, ": cannot be opened as a video: ", reason(code));
  code = avformat_find_stream_info(s.file, nullptr);
  const AVCodec* decoder = nullptr;
  s.stream = av_find_best_stream(s.file, AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);
  check_input(code >= 0 && s.stream >= 0 && decoder != nullptr, path,
              ": holds no video, or none that can be decoded");
  const AVStream& stream = *s.file->streams[s.stream];
  s.codec.reset(avcodec_alloc_context3(decoder));
  code = avcodec_parameters_to_context(s.codec.get(), stream.codecpar);
  if (code >= 0) code = avcodec_open2(s.codec.get(), decoder, nullptr);
  check_input(code >= 0, path, ": the ", decoder->name, " decoder refuses it: ", reason(code));
  s.orientation = orientation_of(stream);
  if (stream.avg_frame_rate.num > 0 && stream.avg_frame_rate.den > 0)
    s.rate = av_q2d(stream.avg_frame_rate);
}

VideoReader::~VideoReader() = default;

std::optional<Tensor> VideoReader::next() {
  State& s = *state_;
  while (true) {
    const int code = avcodec_receive_frame(s.codec.get(), s.frame.get());
    if (code >= 0) return s.image();
    if (s.drained) return std::nullopt;
    s.feed();
  }
}

double VideoReader::frame_rate() const { return state_->rate; }

struct VideoWriter::State {
  std::string path;
  AVRational rate{};
  AVFormatContext* file = nullptr;
  AVStream* stream = nullptr;
  Codec codec;
  Scaler scaler;
  Packet packet{av_packet_alloc()};
  Frame frame{av_frame_alloc()};
  int height = 0, width = 0;  // of the images

  ~State() {
    if (file != nullptr) avio_closep(&file->pb);
    avformat_free_context(file);
  }

  void expect(int code, const char* what) const {
    check_input(code >= 0, path, ": ", what, ": ", reason(code));
  }

  void open(int H, int W) {
    height = H, width = W;
    expect(avformat_alloc_output_context2(&file, nullptr, nullptr, path.c_str()),
           "no container for this ending");
    const AVCodec* encoder = avcodec_find_encoder(AV_CODEC_ID_H264);
    if (encoder == nullptr) encoder = avcodec_find_encoder(AV_CODEC_ID_MPEG4);
    check_input(encoder != nullptr, path, ": FFmpeg has no encoder for videos here");
    codec.reset(avcodec_alloc_context3(encoder));
    codec->width = (W + 1) & ~1;
    codec->height = (H + 1) & ~1;
    codec->pix_fmt = AV_PIX_FMT_YUV420P;
    codec->time_base = av_inv_q(rate);
    codec->framerate = rate;
    codec->bit_rate = int64_t(W) * H * 4;
    if ((file->oformat->flags & AVFMT_GLOBALHEADER) != 0)
      codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    expect(avcodec_open2(codec.get(), encoder, nullptr), "the encoder refuses these frames");
    stream = avformat_new_stream(file, nullptr);
    stream->time_base = codec->time_base;
    expect(avcodec_parameters_from_context(stream->codecpar, codec.get()), "cannot be begun");
    expect(avio_open(&file->pb, path.c_str(), AVIO_FLAG_WRITE), "cannot be written");
    expect(avformat_write_header(file, nullptr), "cannot be written");
    frame->format = codec->pix_fmt;
    frame->width = codec->width;
    frame->height = codec->height;
    expect(av_frame_get_buffer(frame.get(), 0), "no memory for a frame");
    frame->pts = -1;
    scaler.reset(sws_getContext(W, H, AV_PIX_FMT_BGR24, codec->width, codec->height, codec->pix_fmt,
                                SWS_BILINEAR, nullptr, nullptr, nullptr));
    check_input(scaler != nullptr, path, ": frames that cannot be converted");
  }

  // A null frame drains the encoder.
  void encode(AVFrame* next) {
    expect(avcodec_send_frame(codec.get(), next), "a frame is refused");
    while (avcodec_receive_packet(codec.get(), packet.get()) >= 0) {
      // Without it the last frame lasts no time, and readers leave it out.
      if (packet->duration == 0) packet->duration = 1;
      av_packet_rescale_ts(packet.get(), codec->time_base, stream->time_base);
      packet->stream_index = stream->index;
      expect(av_interleaved_write_frame(file, packet.get()), "cannot be written");
    }
  }
};

VideoWriter::VideoWriter(const std::string& path, double frame_rate)
    : state_(std::make_unique<State>()) {
  av_log_set_level(AV_LOG_FATAL);
  check(frame_rate > 0, "VideoWriter: frame rate ", frame_rate);
  state_->path = path;
  state_->rate = av_d2q(frame_rate, 60000);
}

VideoWriter::~VideoWriter() = default;

void VideoWriter::add(const Tensor& image) {
  check_image(image, "VideoWriter::add");
  State& s = *state_;
  const int H = int(image.size(0)), W = int(image.size(1));
  if (s.codec == nullptr) s.open(H, W);
  check(H == s.height && W == s.width && image.size(2) == 3, "VideoWriter: a frame of ",
        image.shape(), " in a video of ", s.width, " x ", s.height);
  s.expect(av_frame_make_writable(s.frame.get()), "no memory for a frame");
  const uint8_t* rows[4] = {image.data<uint8_t>()};
  const int strides[4] = {3 * W};
  sws_scale(s.scaler.get(), rows, strides, 0, H, s.frame->data, s.frame->linesize);
  ++s.frame->pts;
  s.encode(s.frame.get());
}

void VideoWriter::finish() {
  State& s = *state_;
  if (s.codec == nullptr) return;  // no frame came, and no file was begun
  s.encode(nullptr);
  s.expect(av_write_trailer(s.file), "cannot be written");
}

}  // namespace limber
