using System.Collections.Immutable;

namespace ZeroStor.Tests.Catalog;

public abstract partial class CatalogTests
{
    [Fact]
    public async Task Parts_in_any_order_become_one_version_of_many_contents()
    {
        UploadName upload = await BegunAsync("a", "text/plain");
        PartOrder[] parts = [.. new[] { 7, 2, 10_000 }.Select(n => Part(upload, n))];
        foreach (PartOrder part in parts)
        {
            await EnteredAsync(part);
        }

        Assert.Null(await HeadAsync("a"));
        CommitAnswer answer = await CompletedAsync(upload, 2, 7, 10_000);
        VersionRow head = (await HeadAsync("a"))!;
        var manifest = Manifest.Decode(head.Manifest);
        Assert.Equal((answer.Version, answer.Seq, 3_000L), (head.Version, head.Seq, head.Size));
        Assert.Equal(3_000, answer.Size);
        Assert.Equal("text/plain", manifest.ContentType);
        Assert.Equal([parts[1].Content, parts[0].Content, parts[2].Content], manifest.Contents.Select(c => c.Id));
        Assert.Equal([0, 1, 2], manifest.Extents.Select(e => e.Content));
        Assert.Equal(new CatalogCounts(1, 0, 3, 1), await Catalog.CountAsync(Cancel));
        Assert.Null(await Catalog.FindUploadAsync(upload, Cancel));
        await AppliedAsync(Delete("a"));
        Assert.Equal(3, (await DeadAsync()).Count(d => d.EverLived));
    }

    [Fact]
    public async Task Of_a_number_put_again_the_last_one_counts_and_the_earlier_dies()
    {
        UploadName upload = await BegunAsync("a");
        PartOrder first = Part(upload, 1);
        PartOrder second = Part(upload, 1, "second");
        await EnteredAsync(first);
        await EnteredAsync(second);
        Assert.Equal(first.Content, Assert.Single(await DeadAsync()).Content);

        // The first one's answer was lost and it is said again: it stays what it was, and the second one
        // stands.
        Assert.Equal(first.Content.ToString(), (await EnteredAsync(first)).ETag);
        PartRow stands = Assert.Single(await Catalog.ListPartsAsync(upload, 0, 10, Cancel));
        Assert.Equal(("second", 1_000L, second.Modified), (stands.ETag, stands.Size, stands.Modified));
        await CompletedAsync(upload, 1);
        Assert.Equal(
            second.Content, Assert.Single(Manifest.Decode((await HeadAsync("a"))!.Manifest).Contents).Id);
    }

    [Fact]
    public async Task Parts_that_were_not_named_are_condemned_with_the_completion()
    {
        UploadName upload = await BegunAsync("a");
        PartOrder[] parts = [Part(upload, 1), Part(upload, 2), Part(upload, 3)];
        await Task.WhenAll(parts.Select(EnteredAsync));
        await CompletedAsync(upload, 1, 3);
        Assert.Equal(
            [ContentState.Live, ContentState.Dead, ContentState.Live],
            (await Catalog.StatesAsync([.. parts.Select(p => p.Content)], Cancel)).Select(s => s!.Value));
        Assert.Contains(await DeadAsync(), d => d.Content == parts[1].Content && d.EverLived);
    }

    [Fact]
    public async Task The_same_completion_again_answers_as_the_first_and_another_finds_nothing()
    {
        UploadName upload = await BegunAsync("a");
        await EnteredAsync(Part(upload, 1));
        await EnteredAsync(Part(upload, 2));
        CompleteOrder order = await CompletionAsync(upload, 1, 2);
        CommitAnswer first = await Catalog.CompleteUploadAsync(order, Cancel);
        Assert.Equal(ErrorKind.None, first.Kind);
        await AppliedAsync(Delete("a"));
        await ReopenAsync();
        Assert.Equal(first, await Catalog.CompleteUploadAsync(order, Cancel));
        Assert.Null(await HeadAsync("a"));
        CommitAnswer other = await Catalog.CompleteUploadAsync(order with { Parts = order.Parts[..1] }, Cancel);
        Assert.Equal(ErrorKind.NotFound, other.Kind);
        Assert.False(await Catalog.EndUploadAsync(upload, Now, Cancel));
        Assert.Equal(first, await Catalog.CompleteUploadAsync(order, Cancel));
        await RefusedPartAsync(ErrorKind.NotFound, Part(upload, 3));
    }

    [Fact]
    public async Task A_completion_whose_condition_fails_changes_nothing_and_the_upload_goes_on()
    {
        CommitOrder put = Put("a", etag: "1");
        await AppliedAsync(put);
        UploadName upload = await BegunAsync("a");
        await EnteredAsync(Part(upload, 1));
        CompleteOrder order = await CompletionAsync(upload, 1);
        foreach (Precondition condition in new Precondition[] { new() { IfNoneMatch = "*" }, new() { IfMatch = "2" } })
        {
            CommitAnswer refused = await Catalog.CompleteUploadAsync(order with { If = condition }, Cancel);
            Assert.Equal(ErrorKind.PreconditionFailed, refused.Kind);
        }

        Assert.Equal("1", (await HeadAsync("a"))!.ETag);
        Assert.Single(await Catalog.ListPartsAsync(upload, 0, 10, Cancel));
        CommitAnswer done = await Catalog.CompleteUploadAsync(order with { If = new() { IfMatch = "1" } }, Cancel);
        Assert.Equal(ErrorKind.None, done.Kind);
        Assert.Contains(await DeadAsync(), d => d.Content == put.Content && d.EverLived);
    }

    [Fact]
    public async Task A_completion_names_parts_as_they_stand_in_order_and_some()
    {
        UploadName upload = await BegunAsync("a");
        await EnteredAsync(Part(upload, 1));
        await EnteredAsync(Part(upload, 2));
        CompleteOrder order = await CompletionAsync(upload, 1, 2);
        ImmutableArray<PartName>[] wrong =
        [
            [],
            [order.Parts[1], order.Parts[0]],
            [order.Parts[0], order.Parts[0]],
            [order.Parts[0] with { Number = 3 }],
            [order.Parts[0] with { Number = 0 }],
            [order.Parts[0] with { ETag = "other" }],
        ];
        foreach (ImmutableArray<PartName> parts in wrong)
        {
            await ThrowsAsync(
                ErrorKind.InvalidArgument,
                () => Catalog.CompleteUploadAsync(order with { Parts = parts }, Cancel));
        }

        await ThrowsAsync(
            ErrorKind.InvalidArgument, () => Catalog.CompleteUploadAsync(order with { ETag = "*" }, Cancel));
        Assert.Equal(ErrorKind.None, (await Catalog.CompleteUploadAsync(order, Cancel)).Kind);
    }

    [Fact]
    public async Task An_upload_that_is_given_up_takes_its_parts_along_and_nothing_else()
    {
        UploadName upload = await BegunAsync("a");
        UploadName other = await BegunAsync("a");
        PartOrder part = Part(upload, 1);
        PartOrder others = Part(other, 1);
        await EnteredAsync(part);
        await EnteredAsync(others);
        Assert.False(await Catalog.EndUploadAsync(upload with { Key = "b" }, Now, Cancel));
        Assert.True(await Catalog.EndUploadAsync(upload, Now, Cancel));
        Assert.False(await Catalog.EndUploadAsync(upload, Now, Cancel));
        Assert.Contains(await DeadAsync(), d => d.Content == part.Content && d.EverLived);
        Assert.Single(await Catalog.ListPartsAsync(other, 0, 10, Cancel));
        Assert.False(await Catalog.BeginUploadAsync(UploadOf(upload), Now, Cancel));
        CommitAnswer late = await Catalog.CompleteUploadAsync(
            new CompleteOrder { Upload = upload, Parts = [new(1, "e")], Now = Now, Modified = default }, Cancel);
        Assert.Equal(ErrorKind.NotFound, late.Kind);
    }

    [Fact]
    public async Task A_part_for_no_upload_is_refused_and_its_content_condemned()
    {
        UploadName upload = await BegunAsync("a");
        await Catalog.EndUploadAsync(upload, Now, Cancel);
        PartOrder part = Part(upload, 1);
        await Catalog.OpenContentAsync(part.Content, Vault, Now, Cancel);
        CommitAnswer refusal = await RefusedPartAsync(ErrorKind.NotFound, part);
        Assert.Equal(refusal, await Catalog.PutPartAsync(part, Cancel));
        Assert.Equal(ContentState.Dead, Assert.Single(await Catalog.StatesAsync([part.Content], Cancel)));
        UploadName goesOn = await BegunAsync("b");
        await RefusedPartAsync(ErrorKind.NotFound, Part(goesOn with { Key = "a" }, 1));
        PartOrder condemned = Part(goesOn, 1);
        await Catalog.CondemnAsync(Vault, [condemned.Content], Now, Cancel);
        await RefusedPartAsync(ErrorKind.PreconditionFailed, condemned);
        foreach (PartOrder none in new[]
        {
            Part(goesOn, 0), Part(goesOn, 10_001), Part(goesOn, 1, "*"), Part(goesOn, 1) with { Manifest = [1] },
            Part(goesOn, 1) with { Pages = [(-1, [])] },
            Naming(goesOn, 1, [.. Enumerable.Range(0, 30).Select(_ => NewContent())]),
        })
        {
            await ThrowsAsync(ErrorKind.InvalidArgument, () => Catalog.PutPartAsync(none, Cancel));
        }
    }

    [Fact]
    public async Task A_part_that_names_what_a_version_holds_keeps_it_alive_and_moves_no_bytes()
    {
        CommitOrder source = Put("source");
        await AppliedAsync(source);
        UploadName upload = await BegunAsync("a");
        foreach (int number in new[] { 1, 2, 3 })
        {
            await EnteredAsync(Naming(upload, number, source.Content));
        }

        await AppliedAsync(Delete("source"));
        Assert.Equal(ContentState.Live, Assert.Single(await Catalog.StatesAsync([source.Content], Cancel)));
        await CompletedAsync(upload, 1, 2);
        VersionRow head = (await HeadAsync("a"))!;
        Assert.Equal(2_000, head.Size);
        Assert.Single(Manifest.Decode(head.Manifest).Contents);
        Assert.Equal([1L], await RunAsync("SELECT names FROM contents WHERE state = 1"));
        await AppliedAsync(Delete("a"));
        Assert.Contains(await DeadAsync(), d => d.Content == source.Content && d.EverLived);
        UploadName late = await BegunAsync("late");
        await RefusedPartAsync(ErrorKind.NotFound, Naming(late, 1, source.Content));

        // The row of an upload lives, and holds no bytes.
        await RefusedPartAsync(ErrorKind.NotFound, Naming(late, 1, late.Upload.Commit));
        await RefusedAsync(ErrorKind.NotFound, Copy("copy", late.Upload.Commit));
    }

    [Fact]
    public async Task An_upload_is_idle_when_nobody_touched_it_and_its_parts_are_not()
    {
        UploadName idle = await BegunAsync("idle");
        UploadName touched = await BegunAsync("touched");
        PartOrder old = Part(idle, 1);
        await EnteredAsync(old);
        var later = new Tick(Now.Value + 2_000);
        await EnteredAsync(Part(touched, 1, content: NewContent(later)) with { Now = later });

        // Neither puts that are condemned as idle nor what is condemned by name takes an upload or its parts.
        Assert.Equal(0, await Catalog.CondemnIdleAsync(later, later, Cancel));
        await Catalog.CondemnAsync(Vault, [idle.Upload.Commit, old.Content], later, Cancel);
        Assert.Empty(await DeadAsync());
        Assert.Equal(0, await Catalog.EndIdleUploadsAsync(Now, later, 10, Cancel));
        Assert.Equal(1, await Catalog.EndIdleUploadsAsync(later, later, 10, Cancel));
        Assert.Equal(
            new DeadContent(old.Content, Vault, later, EverLived: true),
            (await DeadAsync()).Single(d => d.EverLived));
        Assert.Null(await Catalog.FindUploadAsync(idle, Cancel));
        Assert.NotNull(await Catalog.FindUploadAsync(touched, Cancel));
    }

    [Fact]
    public async Task A_vault_with_an_upload_is_not_removed()
    {
        UploadName upload = await BegunAsync("a");
        Assert.False(await Catalog.RemoveVaultAsync(Vault, Cancel));
        await Catalog.EndUploadAsync(upload, Now, Cancel);
        Assert.True(await Catalog.RemoveVaultAsync(Vault, Cancel));
        await ThrowsAsync(
            ErrorKind.NotFound,
            () => Catalog.BeginUploadAsync(UploadOf(upload with { Upload = UploadId.New(Now, Entropy) }), Now, Cancel));
        await ThrowsAsync(
            ErrorKind.NotFound, () => Catalog.ListUploadsAsync(new UploadQuery { Vault = Vault, Max = 1 }, Cancel));
    }

    [Fact]
    public async Task An_upload_is_begun_once_with_an_id_of_this_day()
    {
        UploadName upload = await BegunAsync("a", "text/plain");
        Assert.True(await Catalog.BeginUploadAsync(UploadOf(upload, "text/plain"), Now, Cancel));
        Assert.False(await Catalog.BeginUploadAsync(UploadOf(upload with { Key = "b" }), Now, Cancel));
        UploadRow row = (await Catalog.FindUploadAsync(upload, Cancel))!;
        Assert.Equal("text/plain", Carried.Decode(row.Carried).ContentType);
        Assert.Equal((upload, Now, 0L), (row.Name, row.Touched, row.Revision));
        Assert.Null(await Catalog.FindUploadAsync(upload with { Vault = VaultId.New(Entropy) }, Cancel));
        UploadName old = upload with { Upload = UploadId.New(new Tick(1), Entropy) };
        await ThrowsAsync(
            ErrorKind.InvalidArgument, () => Catalog.BeginUploadAsync(UploadOf(old), Now, Cancel));
        await ThrowsAsync(
            ErrorKind.InvalidArgument, () => Catalog.BeginUploadAsync(UploadOf(upload with { Key = "" }), Now, Cancel));
    }

    [Fact]
    public async Task A_part_with_pages_is_read_by_them_from_the_version_it_became_part_of()
    {
        UploadName upload = await BegunAsync("a");
        PartOrder part = Part(upload, 1);
        await Catalog.OpenContentAsync(part.Content, Vault, Now, Cancel);
        await Catalog.WritePageAsync(part.Content, 0, [1], Now, Cancel);
        await EnteredAsync(part with { Pages = [(1, [2])] });
        await CompletedAsync(upload, 1);
        Assert.Equal([1], await Catalog.ReadPageAsync(part.Content, 0, Cancel));
        Assert.Equal([2], await Catalog.ReadPageAsync(part.Content, 1, Cancel));
    }

    [Fact]
    public async Task Ten_thousand_parts_make_a_manifest_of_some_megabytes_and_one_transaction()
    {
        UploadName upload = await BegunAsync("a");
        ContentRef whole = ManifestOf(NewContent()).Contents[0];
        int stripeBytes = Geometry.StripeBytes(whole.Code);
        await Parallel.ForEachAsync(
            Enumerable.Range(1, UploadParts.MaxNumber),
            new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = Cancel },
            async (number, _) =>
            {
                // As many stripes as a part names itself, none of which compressed as well as another.
                ContentId own = NewContent();
                Manifest manifest = ManifestOf(own);
                ContentRef content = manifest.Contents[0] with
                {
                    Bytes = (long)UploadParts.MaxInlineStripes * stripeBytes,
                    Stripes =
                    [
                        .. Enumerable.Range(0, UploadParts.MaxInlineStripes).Select(i => whole.Stripes[0] with
                        {
                            ContentBytes = stripeBytes, SealedBytes = stripeBytes - number - i,
                        }),
                    ],
                };
                await EnteredAsync(Part(upload, number, content: own) with
                {
                    Manifest = (manifest with
                    {
                        Size = content.Bytes, Contents = [content], Extents = [new Extent(0, 0, content.Bytes)],
                    }).Encode(),
                });
            });
        await CompletedAsync(upload, [.. Enumerable.Range(1, UploadParts.MaxNumber)]);
        VersionRow head = (await HeadAsync("a"))!;
        TestContext.Current.TestOutputHelper?.WriteLine($"{head.Manifest.Length} bytes of manifest");
        Assert.InRange(head.Manifest.Length, 1_000_000, 3_200_000);
        Assert.Equal(10_000L * UploadParts.MaxInlineStripes * stripeBytes, head.Size);
        Assert.Equal(new CatalogCounts(1, 0, 10_000, 1), await Catalog.CountAsync(Cancel));
        await AppliedAsync(Delete("a"));
        Assert.Equal(new CatalogCounts(0, 0, 0, 10_002), await Catalog.CountAsync(Cancel));
    }

    private protected async Task<UploadName> BegunAsync(string key, string contentType = "")
    {
        var upload = new UploadName(Vault, key, UploadId.New(Now, Entropy));
        Assert.True(await Catalog.BeginUploadAsync(UploadOf(upload, contentType), Now, Cancel));
        return upload;
    }

    private protected static PartOrder Part(
        UploadName upload, int number, string? etag = null, ContentId? content = null)
    {
        ContentId own = content ?? NewContent();
        return Naming(upload, number, own) with { Content = own, ETag = etag };
    }

    /// <summary>A part that names only contents of others.</summary>
    private protected static PartOrder Naming(UploadName upload, int number, params ContentId[] named) => new()
    {
        Upload = upload,
        Number = number,
        Content = NewContent(),
        Manifest = ManifestOf(named).Encode(),
        Now = Now,
        Modified = DateTimeOffset.FromUnixTimeMilliseconds(1_790_000_000_123),
    };

    private protected async Task<CommitAnswer> EnteredAsync(PartOrder part)
    {
        CommitAnswer answer = await Catalog.PutPartAsync(part, Cancel);
        Assert.Equal((ErrorKind.None, ""), (answer.Kind, answer.Detail));
        return answer;
    }

    private protected async Task<CommitAnswer> RefusedPartAsync(ErrorKind kind, PartOrder part)
    {
        CommitAnswer answer = await Catalog.PutPartAsync(part, Cancel);
        Assert.Equal(kind, answer.Kind);
        Assert.NotEqual("", answer.Detail);
        return answer;
    }

    /// <summary>The order to complete an upload of these parts as they stand.</summary>
    private protected async Task<CompleteOrder> CompletionAsync(UploadName upload, params int[] numbers)
    {
        HashSet<int> wanted = [.. numbers];
        var parts = await Catalog.ListPartsAsync(upload, 0, UploadParts.MaxNumber, Cancel);
        return new CompleteOrder
        {
            Upload = upload,
            Parts = [.. parts.Where(p => wanted.Contains(p.Number)).Select(p => new PartName(p.Number, p.ETag))],
            Now = Now,
            Modified = DateTimeOffset.UnixEpoch,
        };
    }

    private protected async Task<CommitAnswer> CompletedAsync(UploadName upload, params int[] numbers)
    {
        CommitAnswer answer = await Catalog.CompleteUploadAsync(await CompletionAsync(upload, numbers), Cancel);
        Assert.Equal((ErrorKind.None, ""), (answer.Kind, answer.Detail));
        return answer;
    }
}
