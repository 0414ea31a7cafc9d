// HTTP/2 through nghttp2: a stream is an exchange.
#include <map>

#include <nghttp2/nghttp2.h>

#include "connection.h"

namespace kubejoin::standin {
namespace {

constexpr std::size_t kMaxRequest = 1 << 20;

class Http2Exchange;

class Http2 : public Protocol {
 public:
  explicit Http2(std::weak_ptr<Connection> connection);
  ~Http2() override;
  Http2(const Http2&) = delete;
  Http2& operator=(const Http2&) = delete;
  bool take(std::string_view bytes) override;
  std::string bytes_to_send() override;
  bool is_finished() const override {
    return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
  }

 private:
  friend class Http2Exchange;
  std::weak_ptr<Connection> connection_;
  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, std::shared_ptr<Http2Exchange>> streams_;
  bool leaving_ = false;  // as Go's server leaves: a notice, the streams that are open, the end
};

class Http2Exchange : public Exchange {
 public:
  Http2Exchange(Http2& protocol, std::int32_t id) : protocol_(&protocol), id_(id) {}

  void head(int status, const Headers& headers, std::int64_t length) override {
    if (!protocol_) return;
    Headers all{{":status", std::to_string(status)}};
    for (const auto& [name, value] : headers) all.emplace_back(lower(name), value);
    if (length >= 0) all.emplace_back("content-length", std::to_string(length));
    nghttp2_data_provider provider{};
    provider.source.ptr = this;
    provider.read_callback = &Http2Exchange::read;
    const auto pairs = pairs_of(all);
    nghttp2_submit_response(protocol_->session_, id_, pairs.data(), pairs.size(), &provider);
    flush();
  }
  void body(std::string_view bytes) override {
    if (!protocol_) return;
    out_ += bytes;
    nghttp2_session_resume_data(protocol_->session_, id_);
    flush();
  }
  void end(const Headers& trailers) override {
    if (!protocol_) return;
    ended_ = true;
    trailers_ = trailers;
    nghttp2_session_resume_data(protocol_->session_, id_);
    flush();
  }
  void reset() override {
    if (!protocol_) return;
    nghttp2_submit_rst_stream(protocol_->session_, NGHTTP2_FLAG_NONE, id_, NGHTTP2_INTERNAL_ERROR);
    flush();
  }
  void drop() override {
    if (!protocol_) return;
    if (const auto connection = protocol_->connection_.lock()) connection->close(true);
  }
  void last() override {
    if (protocol_ && !std::exchange(protocol_->leaving_, true)) nghttp2_submit_shutdown_notice(protocol_->session_);
  }
  bool is_open() const override {
    const auto connection = protocol_ ? protocol_->connection_.lock() : nullptr;
    return connection && connection->is_open();
  }
  void detach() { protocol_ = nullptr; }

 private:
  static std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    return text;
  }
  static std::vector<nghttp2_nv> pairs_of(const Headers& headers) {
    std::vector<nghttp2_nv> pairs;
    const auto bytes = [](const std::string& text) {
      return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    };
    for (const auto& [name, value] : headers)
      pairs.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    return pairs;
  }
  static ssize_t read(nghttp2_session* session, std::int32_t id, std::uint8_t* into, std::size_t size,
                      std::uint32_t* flags, nghttp2_data_source* source, void*) {
    auto* self = static_cast<Http2Exchange*>(source->ptr);
    const std::size_t n = self->out_.copy(reinterpret_cast<char*>(into), size);
    self->out_.erase(0, n);
    if (self->out_.empty() && self->ended_) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!self->trailers_.empty()) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        const auto pairs = pairs_of(self->trailers_);
        nghttp2_submit_trailer(session, id, pairs.data(), pairs.size());
      }
      return static_cast<ssize_t>(n);
    }
    return n == 0 ? static_cast<ssize_t>(NGHTTP2_ERR_DEFERRED) : static_cast<ssize_t>(n);
  }
  void flush() {
    if (const auto connection = protocol_->connection_.lock()) connection->flush();
  }

  Http2* protocol_;
  std::int32_t id_;
  std::string out_;
  Headers trailers_;
  bool ended_ = false;
};

Http2::Http2(std::weak_ptr<Connection> connection) : connection_(std::move(connection)) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_begin_headers_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
        auto* self = static_cast<Http2*>(user);
        if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
          self->streams_[frame->hd.stream_id] = std::make_shared<Http2Exchange>(*self, frame->hd.stream_id);
        return 0;
      });
  nghttp2_session_callbacks_set_on_header_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                    const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
        const auto stream = static_cast<Http2*>(user)->streams_.find(frame->hd.stream_id);
        if (stream == static_cast<Http2*>(user)->streams_.end()) return 0;
        Request& request = stream->second->request;
        const std::string key(reinterpret_cast<const char*>(name), name_size);
        const std::string text(reinterpret_cast<const char*>(value), value_size);
        if (key == ":method") {
          request.method = text;
        } else if (key == ":path") {
          const auto mark = text.find('?');
          request.path = text.substr(0, mark);
          if (mark != std::string::npos) request.query = text.substr(mark + 1);
        } else {
          request.headers[key] = text;
        }
        return 0;
      });
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      callbacks,
      [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data, std::size_t size, void* user) {
        const auto stream = static_cast<Http2*>(user)->streams_.find(id);
        if (stream == static_cast<Http2*>(user)->streams_.end()) return 0;
        std::string& body = stream->second->request.body;
        body.append(reinterpret_cast<const char*>(data), size);
        return body.size() > kMaxRequest ? static_cast<int>(NGHTTP2_ERR_CALLBACK_FAILURE) : 0;
      });
  nghttp2_session_callbacks_set_on_frame_recv_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
        auto* self = static_cast<Http2*>(user);
        const bool whole = (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
                           (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        const auto stream = self->streams_.find(frame->hd.stream_id);
        if (!whole || stream == self->streams_.end()) return 0;
        if (const auto owner = self->connection_.lock()) owner->deliver(stream->second);
        return 0;
      });
  nghttp2_session_callbacks_set_on_stream_close_callback(
      callbacks, [](nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
        auto* self = static_cast<Http2*>(user);
        if (auto stream = self->streams_.extract(id)) stream.mapped()->detach();
        if (self->leaving_ && self->streams_.empty())
          nghttp2_session_terminate_session(self->session_, NGHTTP2_NO_ERROR);
        return 0;
      });
  nghttp2_session_server_new(&session_, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 250}};  // as Go's server has it
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, 1);
}

Http2::~Http2() {
  for (const auto& [id, stream] : streams_) stream->detach();
  nghttp2_session_del(session_);
}

bool Http2::take(std::string_view bytes) {
  return nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()) >= 0;
}

std::string Http2::bytes_to_send() {
  std::string out;
  const std::uint8_t* data = nullptr;
  for (ssize_t n = 0; (n = nghttp2_session_mem_send(session_, &data)) > 0;)
    out.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(n));
  return out;
}

}  // namespace

std::unique_ptr<Protocol> make_http2(std::weak_ptr<Connection> connection) {
  return std::make_unique<Http2>(std::move(connection));
}

}  // namespace kubejoin::standin
