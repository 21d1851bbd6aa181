using System.Collections.Immutable;
using CsCheck;

namespace ZeroStor.Tests;

public sealed class CarriedTests
{
    private static readonly Gen<ImmutableSortedDictionary<string, string>> GenMap =
        Gen.Select(Gen.String[Gen.Char.AlphaNumeric, 0, 8], Gen.String[Gen.Char.AlphaNumeric, 0, 8]).Array[0, 5]
            .Select(pairs => pairs.DistinctBy(p => p.Item1).ToImmutableSortedDictionary(
                p => p.Item1, p => p.Item2, StringComparer.Ordinal));

    [Fact]
    public void What_is_encoded_is_decoded_and_any_changed_byte_is_noticed() =>
        Gen.Select(GenMap, GenMap, Gen.String[Gen.Char.AlphaNumeric, 0, 8]).Sample((headers, tags, type) =>
        {
            var carried = new Carried { ContentType = type, Headers = headers, Tags = tags };
            byte[] bytes = carried.Encode();
            var decoded = Carried.Decode(bytes);
            Assert.Equal(type, decoded.ContentType);
            Assert.Equal(headers, decoded.Headers);
            Assert.Equal(tags, decoded.Tags);
            Assert.Equal(bytes, decoded.Encode());
            for (int i = 0; i < bytes.Length; i++)
            {
                byte[] changed = [.. bytes];
                changed[i] ^= 0x10;
                Assert.Equal(
                    ErrorKind.Corrupt, Assert.Throws<ZeroStorException>(() => Carried.Decode(changed)).Kind);
            }
        });

    [Fact]
    public void Tags_are_encoded_alone_and_none_are_no_bytes() => GenMap.Sample(tags =>
    {
        byte[] bytes = Tags.Encode(tags);
        Assert.Equal(tags.IsEmpty, bytes.Length == 0);
        Assert.Equal(tags, Tags.Decode(bytes));
        if (bytes.Length > 0)
        {
            bytes[^1] ^= 1;
            Assert.Equal(ErrorKind.Corrupt, Assert.Throws<ZeroStorException>(() => Tags.Decode(bytes)).Kind);
        }
    });

    [Fact]
    public void Ten_tags_of_the_longest_S3_allows_fit_and_more_bytes_do_not()
    {
        var tags = Enumerable.Range(0, 10).ToImmutableSortedDictionary(
            i => $"{i}{new string('語', 127)}", _ => new string('語', 256), StringComparer.Ordinal);
        Tags.Check(tags);
        Assert.Equal(tags, Tags.Decode(Tags.Encode(tags)));
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(
            () => Tags.Check(tags.Add("more", new string('語', 2_000))));
        Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
        Assert.Throws<ZeroStorException>(() => Tags.Check(Tags.None.Add("a\0", "")));
    }

    [Fact]
    public void A_draft_of_a_part_is_told_from_one_of_a_commit()
    {
        var manifest = new Manifest { Version = default, Size = 0, Contents = [], Extents = [] };
        var part = new PartDraft("key", new UploadId(77), 9, DateTimeOffset.UnixEpoch.AddDays(1), manifest);
        byte[] bytes = part.Encode();
        Assert.True(PartDraft.IsOne(bytes));
        PartDraft decoded = PartDraft.Decode(bytes);
        Assert.Equal(
            (part.Key, part.Upload, part.Number, part.Modified),
            (decoded.Key, decoded.Upload, decoded.Number, decoded.Modified));
        byte[] commit = new CommitDraft("key", DateTimeOffset.UnixEpoch, manifest).Encode();
        Assert.False(PartDraft.IsOne(commit));
        Assert.Throws<ZeroStorException>(() => PartDraft.Decode(commit));
        Assert.Throws<ZeroStorException>(() => CommitDraft.Decode(bytes));
    }
}
