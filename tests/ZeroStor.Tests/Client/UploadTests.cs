using System.Buffers;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Tests.Client;

public sealed class UploadTests
{
    private const int StripeBytes = 512 * 1024;

    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Parts_put_in_any_order_are_one_object_when_the_upload_is_completed()
    {
        var fake = new FakeFabric();
        var vault = new Vault(fake.Connect(), FakeFabric.VaultName);
        Upload upload = await vault.BeginUploadAsync("k", new UploadOptions { ContentType = "text/plain" }, None);
        byte[][] contents = [Pattern(700_000, 1), Pattern(3, 2), Pattern(0, 3), Pattern(StripeBytes, 4)];
        PartInfo[] parts = await Task.WhenAll(contents.Select(
            (c, i) => upload.PutPartAsync(40 - (10 * i), new MemoryStream(c), null, None)).Reverse());
        Assert.Equal(parts, await upload.ListPartsAsync(0, None).ToListAsync(None));
        await Assert.ThrowsAsync<ZeroStorException>(() => vault.HeadAsync("k", None));
        ObjectVersion made = await upload.CompleteAsync(parts.Select(p => new PartName(p.Number, p.ETag)), null, None);
        byte[] whole = [.. contents.Reverse().SelectMany(c => c)];
        Assert.Equal((whole.Length, "text/plain"), (made.Size, made.ContentType));
        Assert.Equal(whole, await ReadAsync(vault, "k"));
        Assert.Equal(0, fake.OpenSlots);
        Assert.Empty(fake.Abandoned);
    }

    [Fact]
    public async Task A_parts_content_is_opened_before_a_byte_is_written_and_its_draft_says_what_it_is()
    {
        var fake = new FakeFabric();
        bool isWrittenUnopened = false;
        fake.Before = (_, method, _) =>
        {
            isWrittenUnopened |= method == "write-stripe" && fake.Opened.Count == 0;
            return Task.CompletedTask;
        };
        Upload upload = await new Vault(fake.Connect(), FakeFabric.VaultName).BeginUploadAsync("k", null, None);
        await upload.PutPartAsync(7, new MemoryStream(Pattern(600_000, 1)), null, None);
        Assert.False(isWrittenUnopened);
        Assert.Empty(fake.Drafts);
        PartDraft draft = Assert.Single(fake.PartDrafts);
        Assert.Equal(("k", upload.Id, 7, 600_000L), (draft.Key, draft.Upload, draft.Number, draft.Manifest.Size));
        Assert.Equal(fake.Parts.Single().Content, Assert.Single(draft.Manifest.Contents).Id);
    }

    [Theory]
    [InlineData(UploadParts.MaxInlineStripes, 0)]
    [InlineData(UploadParts.MaxInlineStripes + 1, 1)]
    public async Task A_part_of_more_than_a_few_stripes_has_them_in_a_page(int stripes, int pages)
    {
        var fake = new FakeFabric();
        var vault = new Vault(fake.Connect(), FakeFabric.VaultName);
        Upload upload = await vault.BeginUploadAsync("k", null, None);
        byte[] content = Pattern(stripes * StripeBytes, 5);
        PartInfo part = await upload.PutPartAsync(1, new MemoryStream(content), null, None);
        PutPart entered = fake.Parts.Single();
        Assert.Equal(pages, entered.Pages.Length);
        Assert.InRange(entered.Manifest.Length, 40, 300);
        await upload.CompleteAsync([new(1, part.ETag)], null, None);
        Assert.Equal(content, await ReadAsync(vault, "k"));
        Assert.Equal(pages, fake.Count("read-page-0"));
    }

    [Fact]
    public async Task A_part_that_fails_is_given_up_and_the_one_before_stands()
    {
        var fake = new FakeFabric();
        Upload upload = await new Vault(fake.Connect(), FakeFabric.VaultName).BeginUploadAsync("k", null, None);
        PartInfo first = await upload.PutPartAsync(1, new ReadOnlySequence<byte>(Pattern(10, 1)), null, None);
        await Assert.ThrowsAsync<IOException>(() => upload.PutPartAsync(
            1, new FailingStream(), new PartOptions { ETag = () => "never" }, None));
        Assert.Equal(first, Assert.Single(await upload.ListPartsPageAsync(0, 10, None)));
        Assert.Single(fake.Abandoned);
        ZeroStorException bad = await Assert.ThrowsAsync<ZeroStorException>(
            () => upload.PutPartAsync(1, new MemoryStream([1]), new PartOptions { ETag = () => "*" }, None));
        Assert.Equal(ErrorKind.InvalidArgument, bad.Kind);
        Assert.Equal(2, fake.Abandoned.Count);
        Assert.Equal(0, fake.OpenSlots);
    }

    [Theory]
    [InlineData("begin-upload")]
    [InlineData("put-part")]
    [InlineData("complete-upload")]
    [InlineData("end-upload")]
    public async Task An_answer_that_is_lost_is_asked_for_again_and_nothing_happens_twice(string lost)
    {
        var fake = new FakeFabric();
        bool isLost = false;
        fake.After = (_, method) =>
        {
            if (method == lost && !isLost)
            {
                isLost = true;
                throw new TimeoutException("lost");
            }
        };
        var vault = new Vault(fake.Connect(), FakeFabric.VaultName);
        Upload upload = await vault.BeginUploadAsync("k", null, None);
        PartInfo part = await upload.PutPartAsync(
            1, new MemoryStream([1, 2]), new PartOptions { ETag = () => "mine" }, None);
        Assert.Equal("mine", part.ETag);
        if (lost == "end-upload")
        {
            await upload.AbortAsync(None);
            Assert.Empty((await vault.ListUploadsPageAsync(new ListUploadsOptions(), 10, None)).Entries);
        }
        else
        {
            await upload.CompleteAsync([new(1, "mine")], new CompleteOptions { ETag = "all" }, None);
            Assert.Equal("all", (await vault.HeadAsync("k", None)).ETag);
        }

        Assert.True(isLost);
        Assert.Single(fake.Parts.DistinctBy(p => p.Content));
        Assert.Empty(fake.Abandoned);
    }

    [Fact]
    public async Task A_range_copied_from_the_same_vault_is_named_and_no_byte_is_read()
    {
        var fake = new FakeFabric();
        var vault = new Vault(fake.Connect(), FakeFabric.VaultName);
        byte[] content = Pattern(2_000_000, 6);
        ObjectVersion source = await vault.PutAsync("source", new MemoryStream(content), null, None);
        long written = fake.StripesWritten;
        Upload upload = await vault.BeginUploadAsync("k", null, None);
        PartInfo[] parts =
        [
            await upload.CopyPartAsync(
                1, vault, "source", new CopyPartOptions { Range = ByteRange.OfLength(600_000, 900_000) }, None),
            await upload.CopyPartAsync(2, vault, "source", new CopyPartOptions { SourceIfMatch = source.ETag }, None),
        ];
        Assert.Equal([900_000L, 2_000_000], parts.Select(p => p.Size));
        Assert.Equal((written, 0), (fake.StripesWritten, fake.Count("read-stripe")));
        await upload.CompleteAsync(parts.Select(p => new PartName(p.Number, p.ETag)), null, None);
        byte[] whole = [.. content[600_000..1_500_000], .. content];
        Assert.Equal(whole, await ReadAsync(vault, "k"));
        ZeroStorException changed = await Assert.ThrowsAsync<ZeroStorException>(() => upload.CopyPartAsync(
            3, vault, "source", new CopyPartOptions { SourceIfMatch = "other" }, None));
        Assert.Equal(ErrorKind.PreconditionFailed, changed.Kind);
    }

    [Fact]
    public async Task What_would_name_very_much_is_copied_by_its_bytes()
    {
        var fake = new FakeFabric();
        var vault = new Vault(fake.Connect(), FakeFabric.VaultName);
        Upload many = await vault.BeginUploadAsync("source", null, None);
        var names = new List<PartName>();
        for (int number = 1; number <= 90; number++)
        {
            PartInfo small = await many.PutPartAsync(number, new MemoryStream([(byte)number, 0]), null, None);
            names.Add(new PartName(number, small.ETag));
        }

        await many.CompleteAsync(names, null, None);
        Upload upload = await vault.BeginUploadAsync("k", null, None);
        PartInfo few = await upload.CopyPartAsync(
            1, vault, "source", new CopyPartOptions { Range = ByteRange.OfLength(3, 20) }, None);
        Assert.Equal(0, fake.Count("read-stripe"));
        PartInfo all = await upload.CopyPartAsync(2, vault, "source", null, None);
        Assert.Equal(90, fake.Count("read-stripe"));
        await upload.CompleteAsync([new(1, few.ETag), new(2, all.ETag)], null, None);
        byte[] source = await ReadAsync(vault, "source");
        byte[] copied = [.. source[3..23], .. source];
        Assert.Equal(copied, await ReadAsync(vault, "k"));
    }

    [Fact]
    public async Task Uploads_are_listed_page_after_page_and_found_again_by_their_ids()
    {
        var fake = new FakeFabric();
        var vault = new Vault(fake.Connect(), FakeFabric.VaultName);
        Upload[] begun =
        [
            await vault.BeginUploadAsync("b", new UploadOptions { Tags = Tags.None.Add("a", "1") }, None),
            await vault.BeginUploadAsync("a", null, None),
            await vault.BeginUploadAsync("b", null, None),
        ];
        UploadPage page = await vault.ListUploadsPageAsync(new ListUploadsOptions(), 2, None);
        Assert.Equal(["a", "b"], page.Entries.Select(e => e.Key));
        Assert.Equal(("b", page.Entries[1].Upload), (page.Next, page.NextUpload));
        Assert.Equal(
            begun.OrderBy(u => (u.Key, u.Id)).Select(u => u.Id),
            await vault.ListUploadsAsync(null, None).Select(e => e.Upload).ToListAsync(None));
        UploadDetails details = await vault.OpenUpload("b", begun[0].Id).DescribeAsync(None);
        Assert.Equal("1", details.Tags["a"]);
        ZeroStorException none = await Assert.ThrowsAsync<ZeroStorException>(
            () => vault.OpenUpload("a", begun[0].Id).DescribeAsync(None));
        Assert.Equal(ErrorKind.NotFound, none.Kind);
    }

    [Fact]
    public async Task What_cannot_be_is_refused_before_anything_is_asked()
    {
        var fake = new FakeFabric();
        var vault = new Vault(fake.Connect(), FakeFabric.VaultName);
        Upload upload = vault.OpenUpload("k", new UploadId(5));
        Func<Task>[] wrong =
        [
            () => vault.BeginUploadAsync("", null, None),
            () => vault.BeginUploadAsync("k", new UploadOptions { ContentType = new string('x', 9_000) }, None),
            () => vault.BeginUploadAsync(
                "k", new UploadOptions { Tags = Tags.None.Add("a", new string('x', Tags.MaxBytes)) }, None),
            () => upload.PutPartAsync(0, Stream.Null, null, None),
            () => upload.PutPartAsync(10_001, Stream.Null, null, None),
            () => upload.CopyPartAsync(0, vault, "k", null, None),
            () => upload.CompleteAsync([new(1, "e")], new CompleteOptions { ETag = "*" }, None),
        ];
        foreach (Func<Task> call in wrong)
        {
            Assert.Equal(ErrorKind.InvalidArgument, (await Assert.ThrowsAsync<ZeroStorException>(call)).Kind);
        }

        Assert.Empty(fake.Calls);
    }

    private static byte[] Pattern(int bytes, byte seed)
    {
        byte[] content = new byte[bytes];
        new Random(seed).NextBytes(content);
        return content;
    }

    private static async Task<byte[]> ReadAsync(Vault vault, string key)
    {
        await using ObjectStream stream = await vault.OpenReadAsync(key, null, None);
        using var all = new MemoryStream();
        await stream.CopyToAsync(all, None);
        return all.ToArray();
    }

    private sealed class FailingStream : MemoryStream
    {
        private int _reads;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            _reads++ < 3 ? ValueTask.FromResult(buffer.Length) : throw new IOException("the line went dead");
    }
}
