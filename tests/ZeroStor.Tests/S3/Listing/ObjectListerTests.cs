using System.Collections.Immutable;
using CsCheck;
using ZeroStor.Client;
using ZeroStor.S3;
using ZeroStor.S3.Listing;

namespace ZeroStor.Tests.S3.Listing;

public sealed class ObjectListerTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    // Few letters, so that keys share prefixes and delimiters stand everywhere; one beyond the plane in which
    // UTF-16 orders as UTF-8 does.
    private static readonly Gen<string> Text = Gen.OneOf("a", "b", "/", "//", "\uFFFD", "🙂")
        .Array[0, 5].Select(string.Concat);

    private static readonly Gen<string[]> Keys = Text.Where(t => t.Length > 0).Array[0, 40].Select(
        keys => keys.Distinct().Order(Comparer<string>.Create(ObjectKey.Compare)).ToArray());

    [Fact]
    public void Page_after_page_both_forms_list_what_the_model_does() =>
        Gen.Select(Keys, Text, Gen.OneOf("", "/", "a/", "🙂"), Text, Gen.Int[1, 7], Gen.Bool).Sample(
            (keys, prefix, delimiter, marker, max, isSecond) =>
            {
                var model = ListingModel.Lines(
                    keys, prefix, delimiter.Length == 0 ? null : delimiter, marker);
                string query = $"prefix={Encoded(prefix)}&delimiter={Encoded(delimiter)}&max-keys={max}";
                string begin = isSecond ? $"&start-after={Encoded(marker)}" : $"&marker={Encoded(marker)}";
                int told = 0;
                do
                {
                    ObjectPage page = ListAsync(keys, query + begin, isSecond).Result;
                    Assert.Equal(
                        model.Skip(told).Take(max).Select(l => (l.Line, l.IsPrefix)),
                        page.Entries.Select(e => (e.Key, e.IsPrefix)));
                    told += page.Entries.Length;
                    Assert.Equal(told < model.Count, page.IsTruncated);
                    Assert.Equal(page.IsTruncated && isSecond, page.NextToken is not null);
                    Assert.Equal(
                        page.IsTruncated && !isSecond && delimiter.Length > 0, page.NextMarker is not null);
                    if (!page.IsTruncated)
                    {
                        break;
                    }

                    begin = isSecond
                        ? $"&start-after=ignored&continuation-token={page.NextToken}"
                        : $"&marker={Encoded(page.NextMarker ?? page.Entries[^1].Key)}";
                }
                while (true);
                Assert.Equal(model.Count, told);
            },
            iter: 2000,
            threads: 1);

    [Fact]
    public async Task A_page_of_none_is_asked_of_nobody_and_ends()
    {
        var query = new ListObjectsQuery(Wire.Query("max-keys=0"), isSecond: true);
        ObjectPage page = await ObjectLister.ListAsync(
            (_, _, _) => throw new InvalidOperationException(), query, Cancel);
        Assert.Empty(page.Entries);
        Assert.False(page.IsTruncated);
        Assert.Null(page.NextToken);
    }

    [Fact]
    public async Task Pages_that_come_short_are_filled()
    {
        string[] keys = [.. Enumerable.Range(0, 10).Select(i => $"k{i}")];
        ObjectPage page = await ListAsync(keys, "max-keys=7", isSecond: true, pageMax: 3);
        Assert.Equal(7, page.Entries.Length);
        Assert.Equal("k6", page.Next);
        Assert.False((await ListAsync(keys, "max-keys=10", isSecond: true, pageMax: 3)).IsTruncated);
    }

    private static Task<ObjectPage> ListAsync(
        string[] keys, string query, bool isSecond, int pageMax = 1000) =>
        ObjectLister.ListAsync(
            (options, max, _) => Task.FromResult(Page(keys, options, Math.Min(max, pageMax))),
            new ListObjectsQuery(Wire.Query(query), isSecond),
            Cancel);

    // What the SDK promises of a page.
    private static ListPage Page(string[] keys, ListOptions options, int max)
    {
        var lines = ListingModel.Lines(keys, options.Prefix, options.Delimiter, options.StartAfter);
        ImmutableArray<ListEntry> entries =
            [.. lines.Take(max).Select(l => new ListEntry { Key = l.Line, IsPrefix = l.IsPrefix })];
        return new ListPage(entries, lines.Count > max ? entries[^1].Key : null);
    }

    private static string Encoded(string text) => Percent.Encode(text, keepSlash: false);
}
