#include "cache/redis/reply_reader.hpp"

#include <hiredis/read.h>

#include <utility>

#include "domain/assert.hpp"

namespace penstock::cache {
namespace {

// hiredis asks these for the objects of a reply tree, root first. Ours live where they will stay:
// an array's elements exist as soon as the array does, so a child is assigned, not inserted.

Reply* place(redisReadTask const* task, Reply reply) {
    if (task->parent == nullptr) return new Reply(std::move(reply));
    auto& parent = *static_cast<Reply*>(task->parent->obj);
    auto& element = parent.elements[static_cast<std::size_t>(task->idx)];
    element = std::move(reply);
    return &element;
}

Reply::Kind kind_of(int type) {
    if (type == REDIS_REPLY_STATUS) return Reply::Kind::status;
    if (type == REDIS_REPLY_ERROR) return Reply::Kind::error;
    return Reply::Kind::string;
}

void* create_string(redisReadTask const* task, char* text, std::size_t size) noexcept {
    Reply reply;
    reply.kind = kind_of(task->type);
    reply.text.assign(text, size);
    return place(task, std::move(reply));
}

/// Null, which hiredis takes for "out of memory", once the reply has too many elements: the count
/// is a claim of the other side, and memory is reserved by it.
void* create_array(redisReadTask const* task, int count) noexcept {
    auto& left = *static_cast<std::size_t*>(task->privdata);
    auto const elements = static_cast<std::size_t>(count);
    if (elements > left) return nullptr;
    left -= elements;
    return place(task, Reply::array(std::vector<Reply>(elements)));
}

void* create_integer(redisReadTask const* task, long long number) noexcept {
    return place(task, Reply::of(number));
}

void* create_nil(redisReadTask const* task) noexcept { return place(task, Reply::nil()); }

/// Only ever called with a root.
void free_reply(void* reply) noexcept { delete static_cast<Reply*>(reply); }

redisReplyObjectFunctions functions{create_string, create_array, create_integer, create_nil,
                                    free_reply};

}  // namespace

void ReplyReader::Free::operator()(redisReader* reader) const { redisReaderFree(reader); }

ReplyReader::ReplyReader(ReplyLimits limits)
    : limits_(limits),
      elements_left_(limits.elements_max),
      reader_(redisReaderCreateWithFunctions(&functions)) {
    PENSTOCK_ASSERT(reader_ != nullptr);
    reader_->privdata = &elements_left_;
}

void ReplyReader::feed(std::string_view bytes) {
    redisReaderFeed(reader_.get(), bytes.data(), bytes.size());  // failure: next() tells
}

Result<std::optional<Reply>> ReplyReader::next() {
    if (!complaint_.empty()) return fail(std::move(complaint_));
    void* root = nullptr;
    if (redisReaderGetReply(reader_.get(), &root) != REDIS_OK) {
        if (reader_->err == REDIS_ERR_OOM) return fail("a reply has too many elements");
        return fail(reader_->errstr);
    }
    std::unique_ptr<Reply> const reply(static_cast<Reply*>(root));
    if (reply == nullptr) {
        if (reader_->len - reader_->pos > limits_.bytes_max) return fail("a reply is too long");
        return std::optional<Reply>();
    }
    elements_left_ = limits_.elements_max;
    return std::optional<Reply>(std::move(*reply));
}

error_code ReplyReader::fail(std::string complaint) {
    complaint_ = std::move(complaint);
    return make_error_code(boost::system::errc::protocol_error);
}

}  // namespace penstock::cache
