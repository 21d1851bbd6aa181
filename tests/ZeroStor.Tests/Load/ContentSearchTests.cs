using ZeroStor.Load;

namespace ZeroStor.Tests.Load;

public sealed class ContentSearchTests : IDisposable
{
    private const int WindowBytes = 16 * 1024 * 1024;

    private static readonly byte[] Content = Random(200_000, seed: 5);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("zerostor-search-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(0)]
    [InlineData(12_345)]
    [InlineData(WindowBytes - 40)]
    [InlineData(WindowBytes - 1)]
    [InlineData((2 * WindowBytes) - 47)]
    public void Forty_eight_bytes_in_a_row_are_found_wherever_they_lie(int at)
    {
        foreach (int from in (int[])[0, 7, 100_001, Content.Length - 48])
        {
            byte[] file = new byte[at + 48 + 1000];
            Content.AsSpan(from, 48).CopyTo(file.AsSpan(at));
            Assert.True(Count(file) > 0, $"from {from}");
        }
    }

    [Fact]
    public void Less_than_a_slice_is_not_found_and_other_bytes_are_none_of_it()
    {
        byte[] file = new byte[1000];
        Content.AsSpan(64, 31).CopyTo(file.AsSpan(100));
        Assert.Equal(0, Count(file));
        Assert.Equal(0, Count(Random(3_000_000, seed: 6)));
        Assert.Equal(0, Count([]));
    }

    private long Count(byte[] bytes)
    {
        string path = Path.Combine(_folder.FullName, "file");
        File.WriteAllBytes(path, bytes);
        var search = new ContentSearch(Content);
        long hits = search.Count(path);
        Assert.Equal(bytes.Length, search.SearchedBytes);
        return hits;
    }

    private static byte[] Random(int bytes, int seed)
    {
        byte[] random = new byte[bytes];
        new SeededEntropy(seed).Fill(random);
        return random;
    }
}
