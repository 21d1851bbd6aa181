using System.Collections.Immutable;
using ZeroStor.Client;

namespace ZeroStor.Tests.Client;

public sealed class StripeListTests
{
    private static readonly Code Code = new(2, 1);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Geometry.MaxInlineStripes)]
    public void Few_stripes_stay_inline_in_order(int count)
    {
        var list = new StripeList(Code);
        foreach (int ordinal in Shuffled(count))
        {
            Assert.Null(list.Add(ordinal, Ref(ordinal)));
        }

        (ImmutableArray<StripeRef> inline, var pages) = list.Finish(count);
        Assert.Equal(Enumerable.Range(0, count).Select(Ref), inline);
        Assert.Empty(pages);
    }

    [Theory]
    [InlineData(Geometry.MaxInlineStripes + 1)]
    [InlineData(Geometry.StripesPerPage)]
    [InlineData((2 * Geometry.StripesPerPage) + 3)]
    public void Many_stripes_come_out_in_pages_each_once_in_whatever_order_they_came(int count)
    {
        var list = new StripeList(Code);
        var pages = new SortedDictionary<int, byte[]>();
        foreach (int ordinal in Shuffled(count))
        {
            if (list.Add(ordinal, Ref(ordinal)) is { } full)
            {
                pages.Add(full.Page, full.Bytes);
            }
        }

        Assert.Equal(count / Geometry.StripesPerPage, pages.Count);
        (ImmutableArray<StripeRef> inline, var left) = list.Finish(count);
        Assert.Empty(inline);
        foreach ((int page, byte[] bytes) in left)
        {
            pages.Add(page, bytes);
        }

        Assert.Equal(
            Enumerable.Range(0, count).Select(Ref), pages.Values.SelectMany(
                p => Manifest.DecodePage(Code, p)));
    }

    private static int[] Shuffled(int count)
    {
        int[] ordinals = [.. Enumerable.Range(0, count)];
        new Random(count).Shuffle(ordinals);
        return ordinals;
    }

    private static StripeRef Ref(int ordinal)
    {
        int bytes = Geometry.StripeBytes(Code);
        var id = new StripeId((UInt128)ordinal);
        return new StripeRef(
            id, new GroupId(1), new SealId(id.Value), bytes, Geometry.PlainSealedBytes(bytes), default);
    }
}
