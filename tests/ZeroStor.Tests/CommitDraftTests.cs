using System.Collections.Immutable;

namespace ZeroStor.Tests;

public sealed class CommitDraftTests
{
    private static readonly CommitDraft Draft = new(
        "2024/ä/😀",
        DateTimeOffset.FromUnixTimeMilliseconds(1_790_000_000_123),
        new Manifest
        {
            Version = new VersionId(7),
            Size = 5,
            ContentType = "text/plain",
            Headers = ImmutableSortedDictionary<string, string>.Empty.Add("a", "b"),
            Contents =
            [
                new ContentRef
                {
                    Id = new ContentId(9), WrappedKey = [1, 2, 3], Code = new Code(4, 2), Bytes = 5, Stripes = [],
                },
            ],
            Extents = [new Extent(0, 0, 5)],
        });

    [Fact]
    public void A_draft_decodes_to_what_it_was()
    {
        byte[] encoded = Draft.Encode();
        CommitDraft decoded = CommitDraft.Decode(encoded);
        Assert.Equal((Draft.Key, Draft.Modified), (decoded.Key, decoded.Modified));
        Assert.Equal(Draft.Manifest.Encode(), decoded.Manifest.Encode());
        Assert.Equal(encoded, decoded.Encode());
    }

    [Fact]
    public void Every_flipped_bit_and_every_cut_is_refused()
    {
        byte[] encoded = Draft.Encode();
        for (int bit = 0; bit < 8 * encoded.Length; bit++)
        {
            byte[] flipped = [.. encoded];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            AssertRefused(flipped);
        }

        for (int length = 0; length < encoded.Length; length++)
        {
            AssertRefused(encoded[..length]);
        }

        AssertRefused([.. encoded, 0]);
    }

    [Fact]
    public void A_time_before_1970_is_none() => Assert.Equal(
        DateTimeOffset.UnixEpoch,
        CommitDraft.Decode((Draft with { Modified = DateTimeOffset.UnixEpoch.AddDays(-1) }).Encode()).Modified);

    private static void AssertRefused(byte[] bytes) =>
        Assert.Equal(ErrorKind.Corrupt, Assert.Throws<ZeroStorException>(() => CommitDraft.Decode(bytes)).Kind);
}
