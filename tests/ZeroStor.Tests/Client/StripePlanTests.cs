using System.Collections.Immutable;
using CsCheck;
using ZeroStor.Client;

namespace ZeroStor.Tests.Client;

public sealed class StripePlanTests
{
    private static readonly Code One = new(1, 1);
    private static readonly Code Two = new(2, 1);

    [Fact]
    public void The_slices_of_any_range_are_its_bytes_in_order_over_all_extents()
    {
        // Two contents, of other codes; extents that take the middle of one, all of the other, the first
        // again.
        const int A = 900_000;
        const int B = 1_300_000;
        Manifest manifest = ManifestOf(
            [(One, A), (Two, B)], [new Extent(0, 100, 600_000), new Extent(1, 0, B), new Extent(0, 0, 50)]);
        (int Content, long At)[] truth =
        [
            .. manifest.Extents.SelectMany(
                e => Enumerable.Range(0, (int)e.Length).Select(i => (e.Content, e.Offset + i))),
        ];
        Gen.Select(Gen.Int[0, truth.Length], Gen.Int[0, truth.Length]).Sample(
            (a, b) =>
            {
                int offset = Math.Min(a, b);
                int length = Math.Max(a, b) - offset;
                int at = offset;
                foreach (StripeSlice slice in StripePlan.Of(manifest, offset, length))
                {
                    int stripeBytes = Geometry.StripeBytes(manifest.Contents[slice.Content].Code);
                    Assert.InRange(slice.Length, 1, stripeBytes - slice.Offset);
                    long first = ((long)slice.Ordinal * stripeBytes) + slice.Offset;
                    Assert.Equal((slice.Content, first), truth[at]);
                    Assert.Equal((slice.Content, first + slice.Length - 1), truth[at + slice.Length - 1]);
                    at += slice.Length;
                }

                Assert.Equal(offset + length, at);
            },
            iter: 300);
    }

    [Fact]
    public void A_plan_of_millions_of_stripes_is_not_made_at_once()
    {
        Manifest manifest = ManifestOf([(One, 1L << 40)], [new Extent(0, 0, 1L << 40)]);
        StripeSlice last = StripePlan.Of(manifest, (1L << 40) - 1, 1).Single();
        Assert.Equal(new StripeSlice(0, (1 << 22) - 1, (256 * 1024) - 1, 1), last);
        Assert.Equal(new StripeSlice(0, 0, 0, 256 * 1024), StripePlan.Of(manifest, 0, 1L << 40).First());
    }

    private static Manifest ManifestOf((Code Code, long Bytes)[] contents, ImmutableArray<Extent> extents) =>
        new()
    {
        Version = default,
        Size = extents.Sum(e => e.Length),
        Contents =
        [
            .. contents.Select(c => new ContentRef
            {
                Id = default, WrappedKey = [], Code = c.Code, Bytes = c.Bytes, Stripes = [],
            }),
        ],
        Extents = extents,
    };
}
