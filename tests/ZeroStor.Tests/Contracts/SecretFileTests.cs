using ZeroStor.Client;
using ZeroStor.Contracts;
using ZeroStor.Sealing;

namespace ZeroStor.Tests.Contracts;

public sealed class SecretFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("zerostor-secret-");

    private string FilePath => Path.Combine(_folder.FullName, "keys", "a.key");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void It_is_its_owners_alone_and_so_is_the_folder_that_was_made_for_it()
    {
        Assert.Null(SecretFile.Read(FilePath, "key"));
        Assert.True(SecretFile.Create(FilePath, "key", "one"u8));
        Assert.Equal("one"u8, SecretFile.Read(FilePath, "key")!);
        Assert.Equal([FilePath], Directory.GetFiles(Path.GetDirectoryName(FilePath)!));
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            Assert.Equal(Owner, File.GetUnixFileMode(FilePath));
            Assert.Equal(Owner | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(FilePath)!));
        }
    }

    [Fact]
    public void One_that_is_there_is_never_written_over_but_when_that_is_asked_for()
    {
        Assert.True(SecretFile.Create(FilePath, "key", "one"u8));
        Assert.False(SecretFile.Create(FilePath, "key", "two"u8));
        Assert.Equal("one"u8, SecretFile.Read(FilePath, "key")!);
        SecretFile.Replace(FilePath, "key", "three"u8);
        Assert.Equal("three"u8, SecretFile.Read(FilePath, "key")!);
        Assert.Equal([FilePath], Directory.GetFiles(Path.GetDirectoryName(FilePath)!));
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void One_that_others_may_read_or_write_is_refused_with_what_to_do(UnixFileMode others)
    {
        if (!OperatingSystem.IsWindows())
        {
            SecretFile.Create(FilePath, "key", "one"u8);
            File.SetUnixFileMode(FilePath, UnixFileMode.UserRead | UnixFileMode.UserWrite | others);
            ZeroStorException refusal = Assert.Throws<ZeroStorException>(() => SecretFile.Read(FilePath, "key"));
            Assert.Equal(ErrorKind.Forbidden, refusal.Kind);
            Assert.Contains("chmod 600", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_is_too_long_or_no_file_is_refused_with_its_name()
    {
        SecretFile.Create(FilePath, "key", new byte[SecretFile.MaxBytes + 1]);
        Assert.Equal(
            ErrorKind.InvalidArgument,
            Assert.Throws<ZeroStorException>(() => SecretFile.Read(FilePath, "key")).Kind);
        string below = Path.Combine(FilePath, "below.key");
        ZeroStorException refusal =
            Assert.Throws<ZeroStorException>(() => SecretFile.Create(below, "key", "one"u8));
        Assert.Equal(ErrorKind.Forbidden, refusal.Kind);
        Assert.Contains(below, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_owners_key_file_gives_his_keys_back_and_damaged_it_is_named()
    {
        using PrivateKeys keys = PrivateKeys.Generate(new VaultId(5), null, new SeededEntropy(3));
        Assert.Null(OwnerKeyFile.Find(FilePath));
        OwnerKeyFile.Create(FilePath, keys);
        Assert.Equal(
            ErrorKind.AlreadyExists,
            Assert.Throws<ZeroStorException>(() => OwnerKeyFile.Create(FilePath, keys)).Kind);
        using PrivateKeys both = keys.WithNext(null, new SeededEntropy(4));
        OwnerKeyFile.Replace(FilePath, both);
        using (PrivateKeys read = OwnerKeyFile.Find(FilePath)!)
        {
            Assert.Equal([1u, 2u], read.Generations);
        }

        byte[] text = File.ReadAllBytes(FilePath);
        text[60] ^= 1;
        SecretFile.Replace(FilePath, "key", text);
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(() => OwnerKeyFile.Find(FilePath));
        Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
        Assert.StartsWith(FilePath, refusal.Message, StringComparison.Ordinal);
    }
}
