using CsCheck;

namespace ZeroStor.Tests;

public sealed class ManifestRangeTests
{
    // A manifest in which contents come several times and only in part, and a range of it.
    private static readonly Gen<(Manifest Whole, long Offset, long Length)> GenRange = Gen
        .Select(Gen.Int[0, 3], Gen.Long[0, 90], Gen.Long[0, 10]).Array[0, 6]
        .Select(pieces => Whole([.. pieces.Select(p => new Extent(p.Item1, p.Item2, p.Item3))]))
        .SelectMany(
            whole => Gen.Long[0, whole.Size].SelectMany(
                offset => Gen.Long[0, whole.Size - offset].Select(length => (whole, offset, length))));

    [Fact]
    public void A_range_names_just_its_bytes_and_the_contents_they_are_of() => GenRange.Sample(range =>
    {
        Manifest slice = range.Whole.Slice(range.Offset, range.Length);
        Assert.Equal(
            Bytes(range.Whole).Skip((int)range.Offset).Take((int)range.Length), Bytes(slice));
        Assert.Equal(range.Length, slice.Size);
        Assert.Equal(
            slice.Extents.Select(e => slice.Contents[e.Content].Id).Distinct(), slice.Contents.Select(c => c.Id));

        // It can be followed as any manifest.
        Assert.Equal(slice.Encode(), Manifest.Decode(slice.Encode()).Encode());
    });

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, 11)]
    [InlineData(10, 1)]
    [InlineData(3, -1)]
    public void What_does_not_lie_within_is_refused(long offset, long length) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Whole([new Extent(0, 5, 10)]).Slice(offset, length));

    private static IEnumerable<(ContentId Content, long At)> Bytes(Manifest manifest) => manifest.Extents.SelectMany(
        e => Enumerable.Range(0, (int)e.Length).Select(i => (manifest.Contents[e.Content].Id, e.Offset + i)));

    private static Manifest Whole(Extent[] extents) => new()
    {
        Version = new VersionId(1),
        Size = extents.Sum(e => e.Length),
        Contents =
        [
            .. Enumerable.Range(1, 4).Select(i => new ContentRef
            {
                Id = new ContentId((UInt128)i), WrappedKey = [1], Code = new Code(2, 1), Bytes = 100, Stripes = [],
            }),
        ],
        Extents = [.. extents],
    };
}
