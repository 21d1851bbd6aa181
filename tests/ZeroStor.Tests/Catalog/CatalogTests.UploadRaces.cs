using System.Collections.Immutable;
using ZeroStor.Catalog;

namespace ZeroStor.Tests.Catalog;

// Two catalogs on one database do things with one upload at once: whatever comes of it, every content that is
// named lives, and every other one is dead.
public abstract partial class CatalogTests
{
    [Fact]
    public async Task Of_completions_at_once_one_makes_a_version_and_the_same_ones_are_told_so()
    {
        await using SqlCatalog second = await OpenAsync();
        for (int round = 0; round < 20; round++)
        {
            UploadName upload = await BegunAsync($"key {round}");
            PartOrder[] parts = [Part(upload, 1), Part(upload, 2)];
            await Task.WhenAll(parts.Select(EnteredAsync));
            CompleteOrder both = await CompletionAsync(upload, 1, 2);
            CompleteOrder one = both with { Parts = both.Parts[..1] };
            CommitAnswer[] answers = await Task.WhenAll(
                Catalog.CompleteUploadAsync(both, Cancel),
                second.CompleteUploadAsync(one, Cancel),
                second.CompleteUploadAsync(both, Cancel),
                Catalog.CompleteUploadAsync(one, Cancel));
            VersionRow head = (await HeadAsync(upload.Key))!;
            Assert.Equal(answers[0], answers[2]);
            Assert.Equal(answers[1], answers[3]);
            Assert.Equal(
                [ErrorKind.None, ErrorKind.NotFound], new[] { answers[0].Kind, answers[1].Kind }.Order());
            Assert.Equal(answers.First(a => a.Kind == ErrorKind.None).Version, head.Version);
            await AssertNamesAsync(head, parts);
        }
    }

    [Fact]
    public async Task An_upload_is_completed_or_given_up_never_both()
    {
        await using SqlCatalog second = await OpenAsync();
        for (int round = 0; round < 20; round++)
        {
            UploadName upload = await BegunAsync($"key {round}");
            PartOrder[] parts = [Part(upload, 1), Part(upload, 2)];
            await Task.WhenAll(parts.Select(EnteredAsync));
            CompleteOrder order = await CompletionAsync(upload, 1);
            Task<CommitAnswer> completing = second.CompleteUploadAsync(order, Cancel);
            Task<bool> ending = round % 2 == 0
                ? Catalog.EndUploadAsync(upload, Now, Cancel)
                : EndIdleAsync();
            Assert.Equal(await ending ? ErrorKind.NotFound : ErrorKind.None, (await completing).Kind);
            await AssertNamesAsync(await HeadAsync(upload.Key), parts);
        }

        async Task<bool> EndIdleAsync() =>
            await Catalog.EndIdleUploadsAsync(new Tick(Now.Value + 1), Now, 10, Cancel) == 1;
    }

    [Fact]
    public async Task A_part_put_again_during_the_completion_is_in_the_version_or_refused()
    {
        await using SqlCatalog second = await OpenAsync();
        for (int round = 0; round < 30; round++)
        {
            UploadName upload = await BegunAsync($"key {round}");
            PartOrder[] parts = [Part(upload, 1, "same"), Part(upload, 2), Part(upload, 1, "same"), Part(upload, 3)];
            await EnteredAsync(parts[0]);
            await EnteredAsync(parts[1]);
            CompleteOrder order = await CompletionAsync(upload, 1, 2);
            Task<CommitAnswer> completing = second.CompleteUploadAsync(order, Cancel);
            CommitAnswer[] late = await Task.WhenAll(
                Catalog.PutPartAsync(parts[2], Cancel), Catalog.PutPartAsync(parts[3], Cancel));
            Assert.Equal(ErrorKind.None, (await completing).Kind);
            VersionRow head = (await HeadAsync(upload.Key))!;
            ContentId firstPart = Manifest.Decode(head.Manifest).Contents[0].Id;
            Assert.Equal(late[0].Kind == ErrorKind.None ? parts[2].Content : parts[0].Content, firstPart);
            await AssertNamesAsync(head, parts);
        }
    }

    [Fact]
    public async Task Of_one_number_put_at_once_one_part_stands_and_the_others_die()
    {
        await using SqlCatalog second = await OpenAsync();
        for (int round = 0; round < 10; round++)
        {
            UploadName upload = await BegunAsync($"key {round}");
            PartOrder[] parts = [.. Enumerable.Range(0, 6).Select(_ => Part(upload, 5))];
            CommitAnswer[] answers = await Task.WhenAll(
                parts.Select((p, i) => (i % 2 == 0 ? Catalog : second).PutPartAsync(p, Cancel)));
            Assert.All(answers, a => Assert.Equal(ErrorKind.None, a.Kind));
            PartRow stands = Assert.Single(await second.ListPartsAsync(upload, 0, 10, Cancel));
            ImmutableArray<ContentState?> states =
                await Catalog.StatesAsync([.. parts.Select(p => p.Content)], Cancel);
            int live = Assert.Single(Enumerable.Range(0, 6), i => states[i] == ContentState.Live);
            Assert.Equal(parts[live].Content.ToString(), stands.ETag);
            await CompletedAsync(upload, 5);
        }
    }

    [Fact]
    public async Task A_source_is_deleted_or_named_by_a_part_never_dead_and_named()
    {
        await using SqlCatalog second = await OpenAsync();
        for (int round = 0; round < 20; round++)
        {
            CommitOrder source = Put("source");
            await AppliedAsync(source);
            UploadName upload = await BegunAsync($"key {round}");
            Task<CommitAnswer> copying = second.PutPartAsync(Naming(upload, 1, source.Content), Cancel);
            await AppliedAsync(Delete("source"));
            bool isNamed = (await copying).Kind == ErrorKind.None;
            Assert.Equal(
                isNamed ? ContentState.Live : ContentState.Dead,
                Assert.Single(await Catalog.StatesAsync([source.Content], Cancel)));
            await Catalog.EndUploadAsync(upload, Now, Cancel);
            Assert.Equal(ContentState.Dead, Assert.Single(await Catalog.StatesAsync([source.Content], Cancel)));
        }
    }

    [Fact]
    public async Task A_vault_is_removed_or_uploaded_into_never_both()
    {
        await using SqlCatalog second = await OpenAsync();
        for (int round = 0; round < 20; round++)
        {
            VaultId vault = VaultId.New(Entropy);
            await Catalog.AddVaultAsync(new VaultEntry($"vault-{round}", vault, new ClassId(1)), Cancel);
            Task<bool> removing = second.RemoveVaultAsync(vault, Cancel);
            var upload = new UploadName(vault, "a", UploadId.New(Now, Entropy));
            ErrorKind kind = ErrorKind.None;
            try
            {
                Assert.True(await Catalog.BeginUploadAsync(UploadOf(upload), Now, Cancel));
            }
            catch (ZeroStorException refusal)
            {
                kind = refusal.Kind;
            }

            Assert.Equal(await removing ? ErrorKind.NotFound : ErrorKind.None, kind);
        }
    }

    // What the version names lives, and what else was put for it is dead.
    private async Task AssertNamesAsync(VersionRow? head, PartOrder[] parts)
    {
        HashSet<ContentId> named =
            head is null ? [] : [.. Manifest.Decode(head.Manifest).Contents.Select(c => c.Id)];
        ContentId[] contents = [.. parts.Select(p => p.Content)];
        ImmutableArray<ContentState?> states = await Catalog.StatesAsync(contents, Cancel);
        Assert.Equal(
            contents.Select(c => named.Contains(c) ? ContentState.Live : ContentState.Dead),
            states.Select(s => s!.Value));
    }
}
