using ZeroStor.S3.Errors;
using ZeroStor.S3.Signing;

namespace ZeroStor.Tests.S3.Signing;

public sealed class PayloadHashTests
{
    [Theory]
    [InlineData("UNSIGNED-PAYLOAD", false, false, false)]
    [InlineData("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", true, true, false)]
    [InlineData("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", true, true, true)]
    [InlineData("STREAMING-UNSIGNED-PAYLOAD-TRAILER", true, false, true)]
    public void Forms_are_read(string text, bool isChunked, bool isSigned, bool hasTrailer)
    {
        PayloadHash payload = PayloadHash.Parse(text);
        Assert.Equal(
            (text, isChunked, isSigned, hasTrailer),
            (payload.Text, payload.IsChunked, payload.HasSignedChunks, payload.HasTrailer));
        Assert.Null(payload.Sha256);
    }

    [Fact]
    public void A_hash_is_one() =>
        Assert.Equal(PayloadHash.OfEmpty, PayloadHash.Parse(PayloadHash.OfEmpty).Sha256);

    [Theory]
    [InlineData("")]
    [InlineData("unsigned-payload")]
    [InlineData("e3b0c442")]
    [InlineData("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85g")]
    public void What_is_none_is_refused(string text) =>
        Wire.Refuses(S3Error.InvalidArgument, () => PayloadHash.Parse(text));

    [Fact]
    public void Chunks_signed_with_elliptic_curves_are_not_implemented() => Wire.Refuses(
        S3Error.NotImplemented, () => PayloadHash.Parse("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"));
}
