namespace ZeroStor.Tests.Catalog;

public abstract partial class CatalogTests
{
    [Fact]
    public async Task A_listing_is_in_the_order_of_utf8_and_without_manifests()
    {
        string[] keys = ["\u0001", "a", "a\u007f", "aé", "a\uE000", "a\uFFFD", "a😀", "a\U0010FFFF", "b"];
        await PutAllAsync(keys.Reverse());
        Listing all = await Catalog.ListAsync(new ListQuery { Vault = Vault, Max = 100 }, Cancel);
        Assert.Equal(keys, all.Versions.Select(v => v.Key));
        Assert.Empty(all.CommonPrefixes);
        Assert.Null(all.Next);
        VersionRow head = (await HeadAsync("a"))!;
        VersionRow listed = all.Versions.Single(v => v.Key == "a");
        Assert.Empty(listed.Manifest);
        Assert.Equal(head with { Manifest = listed.Manifest }, listed);
    }

    [Fact]
    public async Task A_scan_meets_every_version_of_every_vault_once_with_its_manifest()
    {
        VaultId other = VaultId.New(Entropy);
        Assert.True(await Catalog.AddVaultAsync(new VaultEntry("other", other, new ClassId(1)), Cancel));
        string[] keys = ["\u0001", "a", "a\uE000", "a😀", "b"];
        await PutAllAsync(keys);
        foreach (string key in keys)
        {
            await AppliedAsync(Put(key) with { Vault = other });
        }

        for (int max = 1; max <= 11; max++)
        {
            var met = new List<NamedVersion>();
            VersionName after = default;
            while (await Catalog.ScanAsync(after, max, Cancel) is { Length: > 0 } page)
            {
                Assert.True(page.Length <= max);
                met.AddRange(page);
                after = page[^1].Name;
            }

            Assert.Equal(2 * keys.Length, met.Count);
            foreach (VaultId vault in new[] { Vault, other })
            {
                Assert.Equal(keys, met.Where(v => v.Vault == vault).Select(v => v.Row.Key));
            }

            Assert.All(met, v => Assert.Equal(v.Row.Version, Manifest.Decode(v.Row.Manifest).Version));
        }
    }

    [Fact]
    public async Task A_scan_of_large_manifests_comes_in_smaller_pages()
    {
        ContentId content = NewContent();
        await AppliedAsync(Put("first", content));
        ContentId[] many = [.. Enumerable.Repeat(content, 60_000)];
        CommitOrder[] large = [.. Enumerable.Range(0, 3).Select(i => Copy($"large{i}", many))];
        foreach (CommitOrder order in large)
        {
            await AppliedAsync(order);
        }

        int pages = 0;
        int versions = 0;
        VersionName after = default;
        while (await Catalog.ScanAsync(after, 100, Cancel) is { Length: > 0 } page)
        {
            pages++;
            versions += page.Length;
            after = page[^1].Name;
        }

        Assert.Equal(4, versions);
        Assert.True(pages > 1);
    }

    [Fact]
    public async Task Keys_are_folded_at_the_first_delimiter_behind_the_prefix()
    {
        await PutAllAsync(["a", "a/", "a/1", "a/b/1", "a/b/2", "a/c", "a0", "b/1"]);
        Listing top = await ListAsync("", "/");
        Assert.Equal(["a", "a0"], top.Versions.Select(v => v.Key));
        Assert.Equal(["a/", "b/"], top.CommonPrefixes);
        Listing within = await ListAsync("a/", "/");
        Assert.Equal(["a/", "a/1", "a/c"], within.Versions.Select(v => v.Key));
        Assert.Equal(["a/b/"], within.CommonPrefixes);
        Listing wide = await ListAsync("a", "/b");
        Assert.Equal(["a", "a/", "a/1", "a/c", "a0"], wide.Versions.Select(v => v.Key));
        Assert.Equal(["a/b"], wide.CommonPrefixes);
    }

    [Fact]
    public async Task A_page_is_full_at_max_and_says_exactly_whether_more_follows()
    {
        await PutAllAsync(["a", "b/1", "b/2", "c"]);
        Listing two = await ListAsync("", "/", max: 2);
        Assert.Equal("b/", two.Next);
        Listing rest = await ListAsync("", "/", two.Next!, max: 1);
        Assert.Equal("c", Assert.Single(rest.Versions).Key);
        Assert.Empty(rest.CommonPrefixes);
        Assert.Null(rest.Next);
        Assert.Null((await ListAsync("", "/", max: 3)).Next);
        Assert.Equal("c", (await ListAsync("", null, "b/2", max: 1)).Versions[0].Key);
    }

    [Fact]
    public async Task Who_starts_within_a_common_prefix_does_not_see_it()
    {
        await PutAllAsync(["a/1", "a/2", "b/1"]);
        Assert.Equal(["b/"], (await ListAsync("", "/", "a/1")).CommonPrefixes);
        Assert.Equal(["a/", "b/"], (await ListAsync("", "/", "a")).CommonPrefixes);
        Assert.Equal(["b/"], (await ListAsync("", "/", "a/")).CommonPrefixes);
    }

    [Fact]
    public async Task Large_folders_and_many_small_ones_are_listed_alike()
    {
        string[] keys =
        [
            .. Enumerable.Range(0, 1_300).Select(i => $"large/{i:d5}"),
            .. Enumerable.Range(0, 300).Select(i => $"small{i:d3}/x"),
            .. Enumerable.Range(0, 60).Select(i => $"\U0010FFFF\U0010FFFF/{i:d5}"),
        ];
        await PutAllAsync(keys);
        Listing folded = await ListAsync("", "/", max: 1_000);
        string[] prefixes =
        [
            "large/",
            .. Enumerable.Range(0, 300).Select(i => $"small{i:d3}/"),
            "\U0010FFFF\U0010FFFF/",
        ];
        Assert.Equal(prefixes, folded.CommonPrefixes);
        Assert.Null(folded.Next);
        Assert.Equal(["\U0010FFFF"], (await ListAsync("", "\U0010FFFF", "small299/x")).CommonPrefixes);

        Listing flat = await ListAsync("", null, max: 10_000);
        Assert.Equal(keys, flat.Versions.Select(v => v.Key));
        Assert.Null(flat.Next);
        Listing page = await ListAsync("large/", null, max: 1_299);
        Assert.Equal(keys[1_298], page.Next);
        Assert.Null((await ListAsync("large/", null, page.Next!, max: 1)).Next);
    }

    [Fact]
    public async Task A_listing_shows_every_write_acknowledged_before_it_began()
    {
        await using ZeroStor.Catalog.SqlCatalog second = await OpenAsync();
        for (int i = 0; i < 20; i++)
        {
            await AppliedAsync(Put($"{i:d2}"));
            var query = new ListQuery { Vault = Vault, Max = 100 };
            Assert.Equal(i + 1, (await second.ListAsync(query, Cancel)).Versions.Length);
        }
    }

    [Fact]
    public async Task A_listing_that_cannot_be_is_refused()
    {
        await ThrowsAsync(ErrorKind.InvalidArgument, () => ListAsync("\uD800", null));
        await ThrowsAsync(ErrorKind.InvalidArgument, () => ListAsync("", "\u0000"));
        await ThrowsAsync(ErrorKind.InvalidArgument, () => ListAsync("", null, "\uDC00"));
        await ThrowsAsync(ErrorKind.InvalidArgument, () => ListAsync("", null, max: 0));
        await ThrowsAsync(ErrorKind.InvalidArgument, () => ListAsync("", null, max: 10_001));
    }

    private Task<Listing> ListAsync(
        string prefix, string? delimiter, string startAfter = "", int max = 100) =>
        Catalog.ListAsync(
            new ListQuery
            {
                Vault = Vault, Prefix = prefix, Delimiter = delimiter, StartAfter = startAfter, Max = max,
            },
            Cancel);

    private async Task PutAllAsync(IEnumerable<string> keys)
    {
        CommitAnswer[] answers = await Task.WhenAll(
            keys.Select(key => Catalog.CommitAsync(Put(key), Cancel)));
        Assert.All(answers, answer => Assert.Equal(ErrorKind.None, answer.Kind));
    }
}
