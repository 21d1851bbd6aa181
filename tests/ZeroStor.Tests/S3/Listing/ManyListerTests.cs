using System.Collections.Immutable;
using CsCheck;
using ZeroStor.S3;
using ZeroStor.S3.Listing;

namespace ZeroStor.Tests.S3.Listing;

public sealed class ManyListerTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private static readonly Gen<string> Text = Gen.OneOf("a", "b", "/", "\uFFFD", "🙂")
        .Array[0, 4].Select(string.Concat);

    // Keys with one to four versions each.
    private static readonly Gen<VersionLine[]> Versions = Gen.Select(
        Text.Where(t => t.Length > 0).Array[0, 30], Gen.Int[1, 4].Array[30]).Select((keys, counts) =>
        keys.Distinct()
            .Order(Comparer<string>.Create(ObjectKey.Compare))
            .SelectMany((key, i) => Enumerable.Range(0, counts[i])
                .Select(n => new VersionLine(key, $"v{9 - n}", default)))
            .ToArray());

    [Fact]
    public void Page_after_page_versions_are_listed_as_the_model_does() =>
        Gen.Select(Versions, Text, Gen.OneOf("", "/", "a/"), Text, Gen.Int[1, 7]).Sample(
            (versions, prefix, delimiter, marker, max) =>
            {
                string[] keys = [.. versions.Select(v => v.Key)];
                var model = ListingModel.Lines(
                    keys, prefix, delimiter.Length == 0 ? null : delimiter, marker);
                var expected = model.Select(l => l.IsPrefix
                    ? l.Line : $"{l.Line} {versions[l.At].Id}").ToArray();
                string query = $"prefix={Encoded(prefix)}&delimiter={Encoded(delimiter)}&max-keys={max}";
                string begin = $"&key-marker={Encoded(marker)}";
                int told = 0;
                while (true)
                {
                    ManyPage<VersionLine> page = List(versions, query + begin);
                    Assert.Equal(expected.Skip(told).Take(max), page.Lines.Select(
                        l => l.CommonPrefix ?? $"{l.Entry!.Key} {l.Entry.Id}"));
                    told += page.Lines.Length;
                    Assert.Equal(told < expected.Length, page.IsTruncated);
                    Assert.Equal(page.IsTruncated, page.NextKeyMarker is not null);
                    if (!page.IsTruncated)
                    {
                        return;
                    }

                    begin = $"&key-marker={Encoded(page.NextKeyMarker!)}"
                        + (page.NextIdMarker is { } id ? $"&version-id-marker={id}" : "");
                }
            },
            iter: 2000,
            threads: 1);

    [Fact]
    public async Task A_prefix_of_a_million_is_jumped_over()
    {
        var source = new Source(
            [
                .. Enumerable.Range(0, 100_000).Select(i => new UploadLine($"a/{i:d6}", "u", default)),
                new UploadLine("b", "u", default),
            ]);
        ManyPage<UploadLine> page = await ManyLister.ListAsync(
            source, ListManyQuery.OfUploads(Wire.Query("delimiter=/")), Cancel);
        Assert.Equal(["a/", "b"], page.Lines.Select(l => l.CommonPrefix ?? l.Entry!.Key));
        Assert.False(page.IsTruncated);
        Assert.InRange(source.Reads, 2, 3);
    }

    [Fact]
    public async Task A_page_of_none_is_asked_of_nobody_and_ends()
    {
        var source = new Source([new UploadLine("a", "u", default)]);
        ManyPage<UploadLine> page = await ManyLister.ListAsync(
            source, ListManyQuery.OfUploads(Wire.Query("max-uploads=0")), Cancel);
        Assert.Empty(page.Lines);
        Assert.Null(page.NextKeyMarker);
        Assert.Equal(0, source.Reads);
    }

    [Theory]
    [InlineData(999, false)]
    [InlineData(1000, false)]
    [InlineData(1001, true)]
    public async Task A_full_page_knows_whether_it_is_the_last(int uploads, bool isTruncated)
    {
        var source = new Source(
            [.. Enumerable.Range(0, uploads).Select(i => new UploadLine($"{i:d6}", "u", default))]);
        ManyPage<UploadLine> page = await ManyLister.ListAsync(
            source, ListManyQuery.OfUploads(Wire.Query("")), Cancel);
        Assert.Equal(isTruncated, page.IsTruncated);
        Assert.Equal(Math.Min(uploads, 1000), page.Lines.Length);
    }

    private static ManyPage<VersionLine> List(VersionLine[] versions, string query) => ManyLister.ListAsync(
        new Source<VersionLine>([.. versions]), ListManyQuery.OfVersions(Wire.Query(query)), Cancel).Result;

    private static string Encoded(string text) => Percent.Encode(text, keepSlash: false);

    private sealed class Source(ImmutableArray<UploadLine> entries) : Source<UploadLine>(entries);

    private class Source<T>(ImmutableArray<T> entries) : IManySource<T>
        where T : class, IManyOfKey
    {
        public int Reads { get; private set; }

        public Task<ImmutableArray<T>> ReadAsync(
            string prefix, ListPosition from, int max, CancellationToken cancel)
        {
            Reads++;
            bool isBehind = from.BehindId is null;
            var found = new List<T>();
            foreach (T entry in entries)
            {
                int order = ObjectKey.Compare(entry.Key, from.Key);
                if ((order > 0 || (order == 0 && isBehind)) && entry.Key.StartsWith(
                    prefix, StringComparison.Ordinal))
                {
                    found.Add(entry);
                }

                isBehind |= order == 0 && entry.Id == from.BehindId;
            }

            return Task.FromResult<ImmutableArray<T>>([.. found.Take(max)]);
        }
    }
}
